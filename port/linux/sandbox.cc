// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/sandbox.h"

#include <cstdlib>

#include <unistd.h>

#include "base/bytes.h"
#include "port/linux/os_error.h"
#include "port/linux/shim_sandbox.h"

namespace coracle::port_linux {
namespace {

constexpr std::string_view kUsualPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

Result<std::string> find_program(std::string_view name) {
  const char* given = ::getenv("PATH");
  for (std::string_view path : {given != nullptr ? std::string_view(given) : "", kUsualPath}) {
    for (std::string_view directory : split(path, ':')) {
      std::string program = join({directory, "/", name});
      if (program[0] == '/' && ::access(program.c_str(), X_OK) == 0) return program;
    }
  }
  return fail(Code::kNotFound, join({name, ": not found in PATH"}));
}

Result<std::string> beside_us(std::string_view name) {
  char self[4096];
  const ssize_t length = ::readlink("/proc/self/exe", self, sizeof self);
  if (length > 0) {
    const std::string_view path(self, static_cast<size_t>(length));
    std::string program = join({path.substr(0, path.rfind('/')), "/", name});
    if (::access(program.c_str(), X_OK) == 0) return program;
  }
  return find_program(name);
}

}  // namespace

Result<> ShimSandboxes::find_programs() {
  if (programs_.shim.empty()) programs_.shim = TRY(beside_us("coracle-shim"));
  if (programs_.runtime.empty()) programs_.runtime = TRY(find_program("crun"));
  return {};
}

Result<std::unique_ptr<port::Sandbox>> ShimSandboxes::create(const port::SandboxOptions& options,
                                                             port::SandboxEvents& events) {
  TRY(find_programs());
  auto sandbox = std::make_unique<ShimSandbox>(*this, options.directory, events);
  TRY(sandbox->launch(options).with("start the shim"));
  sandbox->connect();
  return std::unique_ptr<port::Sandbox>(std::move(sandbox));
}

Result<std::unique_ptr<port::Sandbox>> ShimSandboxes::adopt(const std::string& directory,
                                                            port::SandboxEvents& events) {
  TRY(find_programs());
  auto sandbox = std::make_unique<ShimSandbox>(*this, directory, events);
  sandbox->connect();
  return std::unique_ptr<port::Sandbox>(std::move(sandbox));
}

}  // namespace coracle::port_linux
