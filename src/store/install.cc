// SPDX-License-Identifier: GPL-2.0-or-later
// A snapshot comes in and takes the place of the state. It fills a file of another name; the file
// `current` says which one counts, so the old state, with its WAL, stays until the new one is
// complete and durable. Readers go on in the old one until then.
#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "store/replicated_store.h"

namespace coracle::store {
namespace {

std::string other_file(const std::string& path) {
  const size_t name = path.rfind('/') + 1;
  return path.substr(0, name) +
         (path.substr(name) == kStateFiles[0] ? kStateFiles[1] : kStateFiles[0]);
}

Result<> make_current(port::Disk& disk, const std::string& path) {
  const size_t name = path.rfind('/') + 1;
  const std::string directory = path.substr(0, name - 1);
  {
    const std::unique_ptr<port::File> file = TRY(disk.open(path, port::OpenMode::kReadWrite));
    TRY(file->sync());
  }
  TRY(disk.sync_directory(directory));
  return disk.replace_file(directory + "/" + kCurrentFile, path.substr(name), 0600);
}

}  // namespace

class ReplicatedStore::InstallJob : public port::Job {
 public:
  InstallJob(ReplicatedStore& store, Applied applied)
      : store_(store),
        path_(other_file(store.parts_.path)),
        applied_(std::move(applied)),
        loader_(std::move(store.loader_)) {}
  void run() override { result_ = install(); }
  void done() override { store_.on_installed(applied_, std::move(result_)); }

 private:
  Result<> install() {
    Parts& parts = store_.parts_;
    static_cast<void>(store_.install_room_.release());
    TRY(loader_->seal(applied_, parts.identity));
    parts.writer.reset();
    TRY(make_current(parts.disk, path_));
    parts.writer = TRY(Writer::open(path_, parts.disk.sqlite_vfs()));
    return {};
  }

  ReplicatedStore& store_;
  std::string path_;
  Applied applied_;
  std::unique_ptr<RowLoader> loader_;
  Result<> result_;
};

Result<> ReplicatedStore::on_snapshot_begin(raft::NodeId from, const raft::Message& message) {
  if (stopped() || closing_) return fail(Code::kUnavailable, "the store has stopped");
  if (installing_) return fail(Code::kUnavailable, "another snapshot is being taken in");
  if (message.from != from || message.snapshot.index <= last_applied_.index)
    return fail(Code::kConflict, "the snapshot is older than what is here");
  const std::string path = other_file(parts_.path);
  loader_.reset();
  TRY(remove_database(parts_.disk, path));
  loader_ = TRY(RowLoader::open(path, parts_.disk.sqlite_vfs()));
  loader_->at = {message.snapshot.term, message.snapshot.index};
  loading_from_ = from;
  LOG(kInfo, "store: snapshot comes in", kv("from", from), kv("index", message.snapshot.index));
  return {};
}

Result<> ReplicatedStore::on_snapshot_chunk(raft::NodeId from, std::string_view chunk) {
  if (loader_ == nullptr || from != loading_from_ || installing_)
    return fail(Code::kConflict, "no snapshot was announced");
  silent_ticks_ = 0;
  Result<> added = loader_->add(chunk);
  if (!added) on_snapshot_broken(from);
  return added;
}

Result<> ReplicatedStore::on_snapshot_end(raft::NodeId from, raft::Message message) {
  if (loader_ == nullptr || from != loading_from_ || installing_ || stopped() ||
      message.from != from)
    return fail(Code::kConflict, "no snapshot was announced");
  const raft::EntryId at{message.snapshot.term, message.snapshot.index};
  const std::optional<Roster> roster = Roster::decode(message.snapshot.data.view());
  const std::string members(message.snapshot.data.view());
  Result<> whole = loader_->finish({at, parts_.log->end(), members}, parts_.identity);
  if (whole && !install_room_.keep()) whole = fail(Code::kUnavailable, "no room for the snapshot");
  if (whole && !(at == loader_->at)) whole = fail(Code::kCorrupt, "the snapshot changed its place");
  if (whole && (!roster || roster->cluster() != parts_.identity.cluster))
    whole = fail(Code::kForbidden, "the snapshot is of another cluster");
  if (!whole) {
    on_snapshot_broken(from);
    return whole;
  }
  give({.kind = raft::Input::Kind::kMessage, .message = std::move(message)});
  parts_.clock.at_turn_end(*this);
  return {};
}

void ReplicatedStore::on_snapshot_broken(raft::NodeId from) {
  if (loader_ == nullptr || from != loading_from_ || installing_) return;
  loader_.reset();
  static_cast<void>(install_room_.release());
  static_cast<void>(remove_database(parts_.disk, other_file(parts_.path)));
}

// Raft took it; the log rests.
void ReplicatedStore::on_install(const raft::Snapshot& snapshot) {
  installing_ = snapshot;
  try_install();
}

void ReplicatedStore::try_install() {
  if (!installing_ || install_runs_ || flusher_.busy() || stopped()) return;
  const bool loaded =
      loader_ != nullptr && loader_->at == raft::EntryId{installing_->term, installing_->index};
  if (!loaded) return fail_for_good(fail(Code::kInternal, "a snapshot without its rows"));
  install_runs_ = true;
  pins_->generation++;
  parts_.log->jump(installing_->index);
  Applied applied{{installing_->term, installing_->index},
                  parts_.log->end(),
                  std::string(installing_->data.view())};
  parts_.state_lane.submit(std::make_unique<InstallJob>(*this, std::move(applied)));
}

void ReplicatedStore::on_installed(const Applied& applied, Result<> result) {
  install_runs_ = false;
  const raft::Snapshot snapshot = *std::exchange(installing_, std::nullopt);
  if (gone_) return;
  std::optional<Roster> roster = Roster::decode(applied.roster);
  if (result && !roster) result = fail(Code::kCorrupt, "the snapshot's members are damaged");
  const std::string old = std::exchange(parts_.path, other_file(parts_.path));
  Result<std::unique_ptr<Reader>> old_rows = Reader::open(old, parts_.disk.sqlite_vfs());
  const Memtable old_memory = state_.memtable().copy();
  if (result) result = parts_.reader->reopen(parts_.path);
  if (result) result = state_.start(applied.last.index);
  if (!result) return fail_for_good(std::move(result).error());
  LOG(kInfo, "store: snapshot installed", kv("index", applied.last.index));
  last_applied_ = applied.last;
  roster_ = std::move(*roster);
  raft_log_.jump(applied.last);
  raft_log_.applied(applied.last);
  roster_changed();
  proposer_.reset();
  flusher_.restart(applied);
  if (old_rows) {
    state_.tell_differences(View(old_memory, **old_rows));
    old_rows->reset();
  }
  static_cast<void>(remove_database(parts_.disk, old));  // else at the next start
  appender_->install_ended();
  apply_waiting();
  parts_.clock.at_turn_end(*this);
}

}  // namespace coracle::store
