// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/pod_log.h"

#include "api/errors.h"
#include "api/pod_logs.h"
#include "apiserver/decode.h"
#include "base/bytes.h"
#include "base/limits.h"

namespace coracle::apiserver {
namespace {

bool truth(std::string_view text) {
  return !(text == "0" || text == "false" || text == "False");
}

class LogAnswer final : public Stream, api::LogSink {
 public:
  explicit LogAnswer(Exchange& exchange) : exchange_(exchange) {}

  Result<> open(Parts& parts, const api::Object& pod, const api::LogOptions& options);
  // The answer begins once the log is known to exist.
  void begin();
  void on_drained() override { log_->pause(false); }
  bool opens_later() const { return log_->opens_later(); }

 private:
  void on_log(std::string_view bytes) override;
  void on_log_end() override;
  void on_log_open() override { begin(); }
  void on_log_failed(const Error& why) override;

  Exchange& exchange_;
  std::unique_ptr<api::LogStream> log_;
  bool begun_ = false;
  bool ended_ = false;
  std::string early_;  // said before the head was sent
};

Result<> LogAnswer::open(Parts& parts, const api::Object& pod, const api::LogOptions& options) {
  log_ = TRY(parts.logs->open(pod, options, *this));
  return {};
}

void LogAnswer::begin() {
  const http::Header headers[] = {{"content-type", "text/plain"},
                                  {"cache-control", "no-cache, private"}};
  exchange_.response()->start(200, headers);
  begun_ = true;
  if (!early_.empty()) on_log(early_);
  if (ended_) on_log_end();
}

void LogAnswer::on_log(std::string_view bytes) {
  if (!begun_) {
    early_ += bytes;  // at most one turn's delivery
    return;
  }
  exchange_.response()->write(bytes);
  if (exchange_.response()->backlog() >= limits::kSendBufferBytesMax) log_->pause(true);
}

void LogAnswer::on_log_end() {
  ended_ = true;
  if (!begun_) return;
  exchange_.response()->finish();
  exchange_.close();
}

void LogAnswer::on_log_failed(const Error& why) {
  if (begun_) return on_log_end();  // cut off
  exchange_.fail(why);
}

Error invalid(std::string_view path, int64_t value, std::string_view detail) {
  api::Errors errors;
  errors.invalid(path, value, detail);
  return errors.to_error("PodLogOptions", "");
}

Result<int64_t> whole(std::string_view name, std::string_view value, int64_t least) {
  const std::optional<int64_t> number = parse_signed(value);
  if (!number) {
    return fail(Code::kBadRequest, join({"invalid query parameter ", name, ": \"", value, "\""}));
  }
  if (*number < least) {
    return invalid(name, *number,
                   join({"must be greater than or equal to ", std::to_string(least)}));
  }
  return *number;
}

Result<api::LogOptions> read_log_options(Parts& parts, const Request& request) {
  api::LogOptions options;
  bool since_seconds = false;
  bool since_time = false;
  for (const auto& [name, value] : http::parse_query(request.http.query)) {
    if (name == "container") {
      options.container = value;
    } else if (name == "follow") {
      options.follow = truth(value);
    } else if (name == "previous") {
      options.previous = truth(value);
    } else if (name == "timestamps") {
      options.timestamps = truth(value);
    } else if (name == "tailLines") {
      options.tail_lines = TRY(whole(name, value, 0));
    } else if (name == "limitBytes") {
      options.limit_bytes = TRY(whole(name, value, 1));
    } else if (name == "sinceSeconds") {
      const int64_t ago = TRY(whole(name, value, 1));
      options.since = parts.clock.wall() + seconds(-std::min(ago, int64_t{1} << 31));
      since_seconds = true;
    } else if (name == "sinceTime") {
      since_time = true;
      options.since = parse_rfc3339(value);
      if (!options.since) {
        return fail(Code::kBadRequest,
                    join({"invalid query parameter sinceTime: \"", value, "\""}));
      }
    }
  }
  if (since_seconds && since_time) {  // apis/core/validation ValidatePodLogOptions
    api::Errors errors;
    errors.forbidden("", "at most one of `sinceTime` or `sinceSeconds` may be specified");
    return errors.to_error("PodLogOptions", "");
  }
  return options;
}

bool lists_container(json::Node list, std::string_view name) {
  for (const json::Node container : list) {
    if (container["name"].string() == name) return true;
  }
  return false;
}

std::string names_of(json::Node list) {
  std::string names;
  for (const json::Node container : list) {
    if (!names.empty()) names += ' ';
    names += container["name"].string();
  }
  return names;
}

}  // namespace

// registry/core/pod/strategy.go LogLocation, podutil.DefaultContainerName
Result<> choose_container(const Request& request, std::string& name) {
  const json::Node spec = request.old["spec"];
  if (name.empty()) {
    if (spec["containers"].size() == 1) {
      name = std::string(spec["containers"].at(0)["name"].string());
      return {};
    }
    std::string text = join({"a container name must be specified for pod ", request.name,
                             ", choose one of: [", names_of(spec["containers"]), "]"});
    if (spec["initContainers"].size() > 0) {
      text += join({" or one of the init containers: [", names_of(spec["initContainers"]), "]"});
    }
    return fail(Code::kBadRequest, text);
  }
  for (const char* list : {"containers", "initContainers", "ephemeralContainers"}) {
    if (lists_container(spec[list], name)) return {};
  }
  return fail(Code::kBadRequest,
              join({"container ", name, " is not valid for pod ", request.name}));
}

Result<Next> read_pod_log(Parts& parts, Exchange& exchange) {
  Request& request = exchange.request;
  TRY(load_stored(parts, request));
  api::LogOptions options = TRY(read_log_options(parts, request));
  TRY(choose_container(request, options.container));
  if (request.old["spec"]["nodeName"].string().empty()) {  // nothing ran yet: an empty log
    exchange.reply({200, {}, {}, "text/plain"});
    return Next::kDone;
  }
  if (parts.logs == nullptr) {
    return fail(Code::kUnavailable, "the node agent of this pod cannot be reached");
  }
  auto stream = std::make_unique<LogAnswer>(exchange);
  LogAnswer& answer = *stream;
  TRY(answer.open(parts, *request.stored, options));
  exchange.stream = std::move(stream);
  exchange.lasts();
  if (!answer.opens_later()) answer.begin();
  return Next::kDone;
}

}  // namespace coracle::apiserver
