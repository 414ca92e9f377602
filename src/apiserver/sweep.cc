// SPDX-License-Identifier: GPL-2.0-or-later
// DELETE of a collection: the deletes of all objects that match, a bounded number of them at a
// time. The answer is a Status: the list of what was deleted, which upstream sends, would grow with
// the collection.
#include "apiserver/admission.h"
#include "apiserver/decode.h"
#include "apiserver/deletion.h"
#include "apiserver/options.h"
#include "apiserver/selection.h"
#include "apiserver/status.h"
#include "apiserver/write.h"

namespace coracle::apiserver {
namespace {

constexpr size_t kInFlightMax = 32;
constexpr int kPassesMax = 4;  // objects that changed under the sweep are tried again

class Sweep final : public Stream, store::Waiter {
 public:
  Sweep(Parts& parts, Exchange& exchange, Selection selection)
      : parts_(parts),
        exchange_(exchange),
        selection_(std::move(selection)) {}
  ~Sweep() override { parts_.store.forget(*this); }

  void go();
  void on_drained() override {}

 private:
  void on_outcome(Result<api::Change> outcome) override;
  Result<> begin_pass();
  Result<> fill();
  Result<> remove(std::string_view key);
  void settle(Result<> result);

  Parts& parts_;
  Exchange& exchange_;
  const Selection selection_;
  std::unique_ptr<store::Rows> rows_;
  size_t in_flight_ = 0;
  int passes_ = 0;
  bool lost_race_ = false;
  std::optional<Error> error_;
};

void Sweep::go() {
  settle(begin_pass());
}

Result<> Sweep::begin_pass() {
  const Request& request = exchange_.request;
  std::string prefix = api::storage_prefix(*request.kind);
  if (!request.ns.empty()) prefix += request.ns + "/";
  rows_ = TRY(parts_.store.rows(prefix, {}, 0));
  lost_race_ = false;
  ++passes_;
  return fill();
}

Result<> Sweep::fill() {
  store::Rows::Row row;
  while (rows_ && in_flight_ < kInFlightMax) {
    if (!TRY(rows_->next(row))) {
      rows_.reset();
    } else if (selection_.matches(row.text)) {
      TRY(remove(std::string(row.key)));
    }
  }
  return {};
}

Result<> Sweep::remove(std::string_view key) {
  const Request& sweep = exchange_.request;
  const api::StoredName stored = api::parse_storage_key(key);
  Request one;
  one.verb = Verb::kDelete;
  one.kind = sweep.kind;
  one.group = sweep.group;
  one.resource = sweep.resource;
  one.ns = std::string(stored.ns);
  one.name = std::string(stored.name);
  one.user = sweep.user;
  one.deletion = sweep.deletion;
  TRY(admit_delete(parts_, one));
  if (!load_stored(parts_, one)) return {};  // gone already
  TRY(plan_delete(parts_, one));
  if (one.effect.what == Effect::What::kNothing || sweep.options.dry_run) return {};
  const bool put = one.effect.what == Effect::What::kPut;
  ++in_flight_;
  parts_.store.propose({put ? store::Operation::kPut : store::Operation::kDelete, one.kind, one.ns,
                        one.name, std::move(one.effect.text), one.stored->version()},
                       *this);
  return {};
}

void Sweep::on_outcome(Result<api::Change> outcome) {
  --in_flight_;
  if (!outcome) {
    if (outcome.error().code == Code::kConflict) {
      lost_race_ = true;
    } else if (!error_) {
      error_ = outcome.error();
    }
  }
  settle(error_ ? Result<>() : fill());
}

// Answers once nothing is in flight and nothing is left.
void Sweep::settle(Result<> result) {
  if (!result && !error_) error_ = result.error();
  if (error_) rows_.reset();
  if (in_flight_ > 0 || rows_) return;
  if (!error_ && lost_race_ && passes_ < kPassesMax) return settle(begin_pass());
  if (error_) return exchange_.fail(*error_);
  exchange_.reply({200, {}, success_status(exchange_.request, {}, 200)});
}

}  // namespace

Result<Next> delete_collection(Parts& parts, Exchange& exchange) {
  if (exchange.request.kind == &api::kNamespace) {  // upstream does not offer it either
    return fail(Code::kMethodNotAllowed,
                "the server does not allow this method on the requested resource");
  }
  TRY(check_list_options(exchange.request));
  auto sweep = std::make_unique<Sweep>(parts, exchange, TRY(Selection::read(exchange.request)));
  Sweep& started = *sweep;
  exchange.stream = std::move(sweep);
  started.go();
  return Next::kDone;
}

}  // namespace coracle::apiserver
