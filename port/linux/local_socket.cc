// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/local_socket.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"

namespace coracle::port_linux {
namespace {

// A socket file that nobody listens on is a leftover of a dead process.
Result<> remove_dead_socket(const sockaddr_un& address) {
  Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe.valid()) return os_error(errno, "socket");
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(probe.get(), generic, sizeof address) == 0 || errno != ECONNREFUSED)
    return os_error(EADDRINUSE, "bind");
  if (::unlink(address.sun_path) != 0) return os_error(errno, "unlink dead socket");
  return {};
}

}  // namespace

Result<LocalAddress> local_address(const std::string& path) {
  if (path.size() < sizeof(sockaddr_un::sun_path)) return LocalAddress{path, Fd()};
  const size_t slash = path.rfind('/');
  const std::string name = path.substr(slash + 1);
  Fd directory(::open(path.substr(0, slash).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return os_error(errno, path);
  std::string via = join({"/proc/self/fd/", std::to_string(directory.get()), "/", name});
  if (via.size() >= sizeof(sockaddr_un::sun_path))
    return fail(Code::kBadRequest, "socket name too long");
  return LocalAddress{std::move(via), std::move(directory)};
}

Result<Fd> bind_local(const LocalAddress& at) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, at.path.c_str(), at.path.size() + 1);
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return os_error(errno, "socket");
  ::fchmod(fd.get(),
           0600);  // becomes the mode of the socket file, with no moment in which it is wider
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (::bind(fd.get(), generic, sizeof address) == 0) return fd;
  if (errno != EADDRINUSE) return os_error(errno, "bind");
  TRY(remove_dead_socket(address));
  if (::bind(fd.get(), generic, sizeof address) != 0) return os_error(errno, "bind");
  return fd;
}

}  // namespace coracle::port_linux
