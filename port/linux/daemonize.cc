// SPDX-License-Identifier: GPL-2.0-or-later
// What a daemon owes its supervisor: a pid file, the background, a word when it is ready.
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "port/linux/machine.h"
#include "port/linux/os_error.h"

namespace coracle::port_linux {

Result<std::unique_ptr<PidFile>> PidFile::take(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd.valid()) return os_error(errno, path);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
    return fail(Code::kAlreadyExists, join({path, ": held by a running process"}));
  const std::string pid = join({std::to_string(::getpid()), "\n"});
  if (::ftruncate(fd.get(), 0) != 0 ||
      ::pwrite(fd.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size()))
    return os_error(errno, path);
  return std::unique_ptr<PidFile>(new PidFile(fd.release(), path));
}

PidFile::~PidFile() {
  ::unlink(path_.c_str());
  ::close(fd_);
}

Result<> daemonize(const std::string& log_path) {
  const std::string output = log_path.empty() ? "/dev/null" : log_path;
  Fd log(::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
  Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!log.valid() || !null.valid()) return os_error(errno, output);
  for (int i = 0; i < 2; i++) {  // the second fork gives up the right to a controlling terminal
    const pid_t child = ::fork();
    if (child < 0) return os_error(errno, "fork");
    if (child > 0) ::_exit(0);
    if (i == 0) ::setsid();
  }
  ::dup2(null.get(), 0);
  ::dup2(log.get(), 1);
  ::dup2(log.get(), 2);
  return {};
}

void notify_supervisor(std::string_view state) {
  const char* path = ::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  if (path == nullptr || std::strlen(path) >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path, std::strlen(path));
  if (path[0] == '@') address.sun_path[0] = '\0';  // abstract name
  Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(path));
  ::sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
           reinterpret_cast<const sockaddr*>(&address), size);
}

}  // namespace coracle::port_linux
