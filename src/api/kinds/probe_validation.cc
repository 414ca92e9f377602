// SPDX-License-Identifier: GPL-2.0-or-later
// Probes and lifecycle hooks (kubernetes pkg/apis/core/validation, validateProbe, validateHandler).
#include "api/kinds/checks.h"
#include "api/kinds/pod_validation.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

void check_http_headers(json::Node headers, std::string_view path, Errors& errors) {
  const auto is_token = [](std::string_view text) {
    for (const char c : text) {
      const bool fine =
          (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
      if (!fine) return false;
    }
    return true;
  };
  size_t index = 0;
  for (json::Node header : headers) {
    const std::string at = field(item(path, index++), "name");
    if (!is_token(header["name"].string()))
      errors.invalid(at, header["name"],
                     "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. "
                     "'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')");
  }
}

void check_action(json::Node handler,
                  std::string_view choices,
                  std::string_view path,
                  Errors& errors) {
  const Choice choice = count_choices(handler, choices);
  if (choice == Choice::kNone) errors.required(path, "must specify a handler type");
  if (choice == Choice::kMany) errors.forbidden(path, "may not specify more than 1 handler type");
  for (std::string_view name : {"httpGet", "tcpSocket"}) {
    const json::Node port = handler[name]["port"];
    if (port) check_number_or_port_name(port, field(field(path, name), "port"), errors);
  }
  check_http_headers(handler["httpGet"]["httpHeaders"], field(path, "httpGet.httpHeaders"), errors);
}

void check_probe(json::Node probe, std::string_view path, Errors& errors) {
  check_action(probe, "exec|httpGet|tcpSocket|grpc", path, errors);
  const json::Node grace = probe["terminationGracePeriodSeconds"];
  if (grace && grace.integer() <= 0)
    errors.invalid(field(path, "terminationGracePeriodSeconds"), grace, "must be greater than 0");
}

void check_hook(json::Node hook, std::string_view path, Errors& errors) {
  if (!hook) return;
  check_action(hook, "exec|httpGet|tcpSocket|sleep", path, errors);
  const json::Node seconds = hook["sleep"]["seconds"];
  if (hook["sleep"] && seconds.integer() < 0)
    errors.invalid(field(path, "sleep.seconds"), seconds, "must be greater than or equal to 0");
}

}  // namespace

void check_probes(json::Node container, std::string_view path, Errors& errors) {
  for (std::string_view name : {"livenessProbe", "readinessProbe", "startupProbe"}) {
    const json::Node probe = container[name];
    if (!probe) continue;
    const std::string at = field(path, name);
    check_probe(probe, at, errors);
    const bool restarts = name != "readinessProbe";
    if (restarts && probe["successThreshold"].integer() != 1)
      errors.invalid(field(at, "successThreshold"), probe["successThreshold"], "must be 1");
    if (!restarts && probe["terminationGracePeriodSeconds"])
      errors.invalid(field(at, "terminationGracePeriodSeconds"),
                     probe["terminationGracePeriodSeconds"], "must not be set for readinessProbes");
  }
}

void check_lifecycle(json::Node lifecycle, std::string_view path, Errors& errors) {
  for (std::string_view name : {"postStart", "preStop"})
    check_hook(lifecycle[name], field(path, name), errors);
}

}  // namespace coracle::api
