// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/list.h"

#include "apiserver/options.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "base/log.h"
#include "json/writer.h"

namespace coracle::apiserver {
namespace {

struct ListPlan {
  Format format;
  Selection selection;
  std::string prefix;
  std::string after;
  uint64_t at = 0;  // exact version; 0: newest
  bool continued = false;
};

class ListStream final : public Stream {
 public:
  ListStream(Parts& parts, Exchange& exchange, ListPlan plan, std::unique_ptr<store::Rows> rows)
      : parts_(parts),
        exchange_(exchange),
        plan_(std::move(plan)),
        rows_(std::move(rows)),
        limit_(exchange.request.options.limit) {}

  void run() {
    append_head();
    pump();
  }
  void on_drained() override { pump(); }

 private:
  const api::Kind& kind() const { return exchange_.request.spoken(); }

  void append_head();
  void append_tail();
  void append_item(const store::Rows::Row& row);
  Result<bool> step();
  void pump();
  void finish();
  void give_up(const Error& error);

  Parts& parts_;
  Exchange& exchange_;
  const ListPlan plan_;
  std::unique_ptr<store::Rows> rows_;
  const int64_t limit_;
  std::string chunk_;
  std::string last_key_;
  int64_t items_ = 0;
  bool more_ = false;  // the limit cut the list short
  bool started_ = false;
};

// The metadata goes last if it may carry a continue token, which is known only then.
void ListStream::append_head() {
  const std::string metadata = limit_ > 0 ? std::string() : list_metadata(rows_->version());
  if (plan_.format.shape == Shape::kTable) {
    return append_table_head(chunk_, {&kind(), plan_.format.beta, metadata, true});
  }
  const bool partial = plan_.format.shape == Shape::kPartial;
  const std::string version =
      partial ? std::string(meta_version(plan_.format.beta)) : api::group_version(kind());
  const std::string name = partial ? "PartialObjectMetadataList" : join({kind().name, "List"});
  chunk_ += join({"{\"kind\":\"", name, "\",\"apiVersion\":\"", version, "\","});
  if (!metadata.empty()) chunk_ += join({"\"metadata\":", metadata, ","});
  chunk_ += "\"items\":[";
}

void ListStream::append_tail() {
  chunk_ += ']';
  if (limit_ > 0) {
    chunk_ += ",\"metadata\":";
    json::Writer out(chunk_);
    out.begin_object();
    out.member("resourceVersion", std::string_view(std::to_string(rows_->version())));
    if (more_) {
      const std::string prefix = api::storage_prefix(*exchange_.request.kind);
      const std::string below = last_key_.substr(prefix.size());
      const auto version = static_cast<int64_t>(rows_->version());
      out.member("continue", std::string_view(encode_continue({version, below})));
      const Result<uint64_t> rest = parts_.store.count(plan_.prefix, last_key_);
      if (plan_.selection.everything() && rest && *rest > 0) {
        out.member("remainingItemCount", static_cast<int64_t>(*rest));
      }
    }
    out.end_object();
  }
  chunk_ += "}\n";
}

void ListStream::append_item(const store::Rows::Row& row) {
  if (items_++ > 0) chunk_ += ',';
  const View view{&kind(), row.text, row.version};
  switch (plan_.format.shape) {
    case Shape::kObject:
      return append_object(chunk_, view);
    case Shape::kPartial:
      return append_partial(chunk_, view, plan_.format.beta);
    case Shape::kTable:
      return append_row(chunk_, view, plan_.format, parts_.clock.wall());
  }
}

// False at the end.
Result<bool> ListStream::step() {
  store::Rows::Row row;
  if (!TRY(rows_->next(row))) return false;
  if (limit_ > 0 && items_ >= limit_) {
    more_ = true;
    return false;
  }
  if (plan_.selection.matches(row.text)) {
    append_item(row);
    if (limit_ > 0) last_key_ = std::string(row.key);
  }
  return true;
}

void ListStream::pump() {
  for (;;) {
    while (chunk_.size() < limits::kListChunkBytes) {
      const Result<bool> going = step();
      if (!going) return give_up(going.error());
      if (!*going) return finish();
    }
    http::Response& response = *exchange_.response();
    if (!started_) {
      const http::Header headers[] = {{"content-type", "application/json"},
                                      {"cache-control", "no-cache, private"}};
      response.start(200, headers);
      started_ = true;
    }
    response.write(chunk_);
    chunk_.clear();
    if (response.backlog() >= limits::kSendBufferBytesMax) return;
  }
}

void ListStream::finish() {
  append_tail();
  if (!started_) {
    Reply reply;
    reply.text = std::move(chunk_);
    return exchange_.reply(std::move(reply));
  }
  exchange_.response()->write(chunk_);
  exchange_.response()->finish();
  exchange_.close();
}

void ListStream::give_up(const Error& error) {
  if (!started_) {
    const std::string token =
        plan_.continued ? encode_continue({-1, plan_.after.substr(plan_.prefix.size())}) : "";
    return exchange_.fail(error, token);
  }
  // The status line has left: what the client gets is visibly no complete document.
  LOG(kDebug, "apiserver: list was cut off", kv("error", error.message));
  exchange_.response()->finish();
  exchange_.close();
}

Error expired_continue() {
  return fail(Code::kExpired,
              "The provided continue parameter is too old to display a consistent list result. You "
              "can start a new list without the continue parameter, or use the continue token in "
              "this response to retrieve the remainder of the results. Continuing with the "
              "provided token results in an inconsistent list - objects that were created, "
              "modified, or deleted between the time the first chunk was returned and now may "
              "show up in the list.");
}

std::string prefix_of(const Request& request) {
  std::string prefix = api::storage_prefix(*request.kind);
  if (!request.ns.empty()) prefix += request.ns + "/";
  return prefix;
}

Result<> plan_version(const Request& request, uint64_t newest, ListPlan& plan) {
  const Options& options = request.options;
  if (!options.continue_token.empty()) {
    if (!options.resource_version.empty() && options.resource_version != "0") {
      return fail(Code::kBadRequest,
                  "specifying resource version is not allowed when using continue");
    }
    const ContinueToken token = TRY(decode_continue(options.continue_token));
    plan.continued = true;
    plan.after = api::storage_prefix(*request.kind) + token.after;
    if (!plan.after.starts_with(plan.prefix)) {
      return fail(Code::kBadRequest, "continue key is not valid: it is of another list");
    }
    plan.at = token.version > 0 ? static_cast<uint64_t>(token.version) : 0;
    return check_not_in_future(plan.at, newest);
  }
  const uint64_t wanted = parse_unsigned(options.resource_version).value_or(0);
  if (wanted == 0) return {};
  TRY(check_not_in_future(wanted, newest));
  const bool exact = options.resource_version_match == "Exact" ||
                     (options.resource_version_match.empty() && options.limit > 0);
  if (exact) plan.at = wanted;
  return {};
}

// A list of one name in one namespace is a read.
class OneRow final : public store::Rows {
 public:
  OneRow(api::ObjectRef object, uint64_t version) : object_(std::move(object)), version_(version) {}
  Result<bool> next(Row& row) override {
    if (!object_ || done_) return false;
    done_ = true;
    key_ = object_->key();
    row = {key_, object_->text(), object_->version()};
    return true;
  }
  uint64_t version() const override { return version_; }

 private:
  const api::ObjectRef object_;
  const uint64_t version_;
  std::string key_;
  bool done_ = false;
};

Result<std::unique_ptr<store::Rows>> open_rows(Parts& parts,
                                               const Request& request,
                                               const ListPlan& plan) {
  if (plan.at == 0 && !plan.continued) {
    return newest_rows(parts.store, request, plan.selection);
  }
  return parts.store.rows(plan.prefix, plan.after, plan.at);
}

}  // namespace

Result<std::unique_ptr<store::Rows>> newest_rows(store::Store& store,
                                                 const Request& request,
                                                 const Selection& selection) {
  const bool placed = !request.kind->namespaced || !request.ns.empty();
  if (!selection.name().empty() && placed) {
    return std::unique_ptr<store::Rows>(std::make_unique<OneRow>(
        store.get(*request.kind, request.ns, selection.name()), store.version()));
  }
  return store.rows(prefix_of(request), {}, 0);
}

Result<> check_not_in_future(uint64_t version, uint64_t newest) {
  if (version <= newest) return {};
  Error error = fail(Code::kTimeout, join({"Too large resource version: ", std::to_string(version),
                                           ", current: ", std::to_string(newest)}));
  error.causes.push_back({"ResourceVersionTooLarge", "Too large resource version", ""});
  error.retry_after_s = 1;
  return error;
}

std::string encode_continue(const ContinueToken& token) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.member("v", "meta.k8s.io/v1");
  out.member("rv", token.version);
  out.key("start");
  // Upstream marks "after this key" by a NUL, which the JSON reader here does not take from
  // anybody.
  out.value(std::string_view(token.after + "!"));
  out.end_object();
  return base64url(text);
}

Result<ContinueToken> decode_continue(std::string_view text) {
  const auto refused = [](std::string_view why) {
    return fail(Code::kBadRequest, join({"continue key is not valid: ", why}));
  };
  const std::optional<std::string> decoded = from_base64url(text);
  if (!decoded) return refused("illegal base64 data");
  json::Tree tree;
  const Result<json::Node> parsed = tree.parse(*decoded);
  if (!parsed || !parsed->is_object()) return refused("invalid JSON");
  if ((*parsed)["v"].string() != "meta.k8s.io/v1") {
    return refused("server does not recognize this encoded version");
  }
  const std::string_view start = (*parsed)["start"].string();
  const int64_t version = (*parsed)["rv"].integer();
  if (version == 0 || version < -1) return refused("incorrect encoded start resourceVersion");
  if (start.size() < 2 || !start.ends_with('!')) return refused("encoded start key is not valid");
  return ContinueToken{version, std::string(start.substr(0, start.size() - 1))};
}

Result<Next> list_objects(Parts& parts, Exchange& exchange) {
  const Request& request = exchange.request;
  TRY(check_list_options(request));
  ListPlan plan;
  plan.format = TRY(negotiate(request));
  plan.selection = TRY(Selection::read(request));
  plan.prefix = prefix_of(request);
  TRY(plan_version(request, parts.store.version(), plan));
  Result<std::unique_ptr<store::Rows>> rows = open_rows(parts, request, plan);
  if (!rows) {
    if (!plan.continued || rows.error().code != Code::kExpired) return std::move(rows).error();
    const std::string below = plan.after.substr(api::storage_prefix(*request.kind).size());
    exchange.fail(expired_continue(), encode_continue({-1, below}));
    return Next::kDone;
  }
  auto stream =
      std::make_unique<ListStream>(parts, exchange, std::move(plan), std::move(rows).value());
  ListStream& list = *stream;
  exchange.stream = std::move(stream);
  list.run();
  return Next::kDone;
}

}  // namespace coracle::apiserver
