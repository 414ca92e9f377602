// SPDX-License-Identifier: GPL-2.0-or-later
// Opening, first starts, recovery, orderly stops.
#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "base/tooth.h"
#include "store/damage.h"
#include "store/replicated_store.h"

namespace coracle::store {
namespace {

// The state that a cluster begins with counts as a snapshot of one entry: newcomers can never
// replay their way to it, so they get the members with a snapshot.
constexpr raft::EntryId kBeginning{1, 1};

uint64_t mixed(uint64_t value) {
  value += 0x9e3779b97f4a7c15u;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
  return value ^ (value >> 31);
}

// Numbers of this life: rising, far from those of another one, and far from the top.
uint64_t first_number(uint64_t entropy) {
  return bites(Tooth::kNumbersReused) ? 1 : (mixed(entropy) >> 2) + 1;
}

}  // namespace

ReplicatedStore::ReplicatedStore(Parts parts)
    : parts_(std::move(parts)),
      reserve_(parts_.disk, parts_.options.directory + kReserveFile),
      install_room_(parts_.disk, parts_.options.directory + kInstallRoomFile),
      state_(parts_.clock, *parts_.reader),
      flusher_({parts_.writer, state_.memtable(), *parts_.log, parts_.clock, parts_.state_lane,
                pins_, reserve_},
               *this),
      raft_log_(*parts_.log),
      proposer_({parts_.clock, state_, flusher_, *parts_.log, appender_},
                {parts_.identity.member, first_number(parts_.options.entropy)}),
      reads_(first_number(parts_.options.entropy + 1)),
      tick_timer_(parts_.clock.timer(*this)),
      lazy_timer_(parts_.clock.timer(*this)),
      campaign_timer_(parts_.clock.timer(*this)) {}

// Jobs under way point here: they are waited for, but nobody hears of them.
ReplicatedStore::~ReplicatedStore() {
  gone_ = true;
  if (parts_.options.transport != nullptr) parts_.options.transport->stop();
  parts_.clock.cancel_turn_end(*this);
  parts_.log_lane.drain();
  parts_.state_lane.drain();
  pins_->generation++;
}

Result<> ReplicatedStore::start(const Applied& applied) {
  std::optional<Roster> roster = Roster::decode(applied.roster);
  if (!roster) return fail(Code::kCorrupt, "the members in the database are damaged");
  roster_ = std::move(*roster);
  last_applied_ = applied.last;
  TRY(state_.start(applied.last.index));
  TRY(raft_log_.recover(applied));
  raft_log_.applied(applied.last);
  raft_log_.configured(roster_);
  TRY(open_core());
  appender_.emplace(Appender::Parts{*parts_.log, raft_log_, parts_.disk, parts_.log_lane},
                    static_cast<AppendListener&>(*this));
  const raft::Index found = raft_log_.last_index();
  TRY(apply_committed());
  if (sole_voter()) TRY(lead_alone());
  flusher_.consider();
  LOG(kInfo, "store: opened", kv("member", parts_.identity.member),
      kv("applied", last_applied_.index), kv("replayed", found - applied.last.index));
  if (parts_.options.transport == nullptr) return {};
  parts_.options.transport->start(*this);
  roster_changed();
  arm_tick();
  return {};
}

Result<> ReplicatedStore::open_core() {
  constexpr uint64_t kMessageBytes = 256 * 1024;
  constexpr uint64_t kUncommittedBytes = 4 * 1024 * 1024;
  constexpr uint64_t kUncommittedLeast = 1024 * 1024;
  const Timing& timing = parts_.options.timing;
  raft::Options options;
  options.id = parts_.identity.member;
  options.election_ticks = timing.election_ticks;
  options.heartbeat_ticks = timing.heartbeat_ticks;
  options.applied = last_applied_.index;
  options.async_storage = true;
  options.message_bytes_max =
      parts_.options.message_bytes != 0 ? parts_.options.message_bytes : kMessageBytes;
  options.applying_bytes_max = 512 * 1024;
  options.uncommitted_bytes_max =
      std::clamp(parts_.log->bytes() / 3, kUncommittedLeast, kUncommittedBytes);
  options.window = {64, 1024 * 1024};
  options.check_quorum = true;
  options.pre_vote = true;
  options.step_down_on_removal = true;
  options.seed = mixed(parts_.options.entropy + 2);
  core_ = TRY(raft::Core::open(options, raft_log_, nullptr));
  return {};
}

// What is known to be committed, so that the configuration is at least the last one used here.
Result<> ReplicatedStore::apply_committed() {
  starting_ = true;
  while (last_applied_.index < core_->machine().log().committed()) {
    const raft::Index before = last_applied_.index;
    pump();
    parts_.state_lane.drain();
    if (failed_) return fail(Code::kIo, "the disk failed");
    if (last_applied_.index == before)
      return fail(Code::kCorrupt, "the log is damaged: a committed entry cannot be read");
  }
  starting_ = false;
  return {};
}

// Nobody is served yet, so the loop may wait: everything in the log is committed by one more entry.
Result<> ReplicatedStore::lead_alone() {
  starting_ = true;
  give({.kind = raft::Input::Kind::kCampaign});
  for (;;) {
    pump();
    if (failed_) return fail(Code::kIo, "the disk failed");
    const bool all = last_applied_.index == core_->machine().log().last_index();
    if (stance() == Stance::kLeading && all) break;
    if (flusher_.full() && appender_->stuck()) break;  // goes on when there is room again
    parts_.log_lane.drain();
    parts_.state_lane.drain();
  }
  starting_ = false;
  state_.drop_fresh();
  told_ = standing();
  return {};
}

api::ObjectRef ReplicatedStore::get(const api::Kind& kind,
                                    std::string_view ns,
                                    std::string_view name) const {
  Result<api::ObjectRef> found = find(kind, ns, name);
  return found ? std::move(*found) : api::ObjectRef();
}

Store::Figures ReplicatedStore::figures() const {
  Figures figures;
  figures.applied = state_.applied();
  figures.durable_applied = flusher_.durable();
  figures.appends = appender_->appends();
  figures.entries = entries_;
  figures.log_bytes = parts_.log->bytes();
  figures.database_bytes = flusher_.bytes_used();
  figures.damaged_rows = state_.damaged_rows();
  figures.damaged_log = raft_log_.damaged();
  figures.read_only = failed_ || flusher_.full();
  return figures;
}

Result<> ReplicatedStore::close() {
  closing_ = true;
  const auto finished = [this] {
    const bool waits = sole_voter() && proposer_.in_flight() > 0;
    return proposer_.idle() && appender_->idle() && !waits;
  };
  for (int round = 0; !failed_ && !flusher_.full() && !finished(); ++round) {
    if (!sole_voter() && round > 0) break;  // the others may take long, or never answer
    propose_batch();
    pump();
    parts_.log_lane.drain();
    parts_.state_lane.drain();
  }
  Error closing = fail(Code::kUnavailable, "the store is closing");
  closing.retry_after_s = 1;
  if (!failed_)
    proposer_.end(closing, fail(Code::kTimeout, "the store closed before the outcome was known"));
  desk_.end(closing);
  reads_.end(closing);
  if (parts_.options.transport != nullptr) parts_.options.transport->stop();
  proposer_.deliver_refusals();
  desk_.deliver();
  state_.deliver_changes();
  parts_.state_lane.drain();
  if (!installing_) flusher_.flush_all();
  parts_.state_lane.drain();
  if (failed_) return fail(Code::kIo, "the disk failed");
  if (!state_.memtable().clean())
    return fail(Code::kUnavailable, "the disk is full; the log keeps what is missing");
  return {};
}

namespace {

// The names of the store's directory and of all above it must be as durable as what is in it; who
// made them, and whether that was synced, is unknown.
Result<> sync_directories(port::Disk& disk, std::string path) {
  for (;;) {
    TRY(disk.sync_directory(path));
    const size_t slash = path.rfind('/');
    if (slash == std::string::npos || path == "/") return {};
    path.resize(std::max<size_t>(slash, 1));
  }
}

// The state's file; others are what a crash left behind.
Result<std::string> current_state(const std::string& directory, port::Disk& disk) {
  const std::string pointer = directory + "/" + kCurrentFile;
  std::string name = kStateFiles[0];
  if (disk.stat(pointer)) name = TRY(disk.read_file(pointer));
  bool known = false;
  for (const char* file : kStateFiles) {
    known = known || name == file;
    if (name != file) TRY(remove_database(disk, directory + "/" + file));
  }
  if (!known) return fail(Code::kCorrupt, "the name of the state's file is damaged");
  return directory + "/" + name;
}

// SQLite needs a little room to open its files, and must open on a full disk.
template <class Open>
auto open_with_reserve(const StoreOptions& options, port::Disk& disk, Open open)
    -> decltype(open()) {
  auto opened = open();
  const bool full = !opened && is_full(opened.error());
  return full && Reserve(disk, options.directory + kReserveFile).release() ? open()
                                                                           : std::move(opened);
}

// A directory that nothing is in yet: founds a cluster, or gets ready to be called.
Result<Applied> first_start(const StoreOptions& options, Writer& writer, Identity& identity) {
  Applied applied;
  Roster roster;
  if (options.joining) {
    identity = {options.joining->cluster, options.joining->member};
    roster = Roster::joining(identity.cluster, options.joining->members);
  } else {
    identity = {cluster_id(options.entropy), kFounder};
    Member founder = options.self;
    founder.id = kFounder;
    roster = Roster::founded(identity.cluster, std::move(founder));
    applied.last = kBeginning;
    applied.point.next_index = kBeginning.index + 1;
    applied.point.term = kBeginning.term;
  }
  applied.roster = roster.encode();
  TRY(writer.sync_commits(true));
  TRY(writer.begin());
  TRY(writer.set_identity(identity));
  TRY(writer.commit(applied));
  TRY(writer.sync_commits(false));
  return applied;
}

}  // namespace

uint64_t cluster_id(uint64_t entropy) {
  return mixed(entropy) | 1;
}

Result<> remove_database(port::Disk& disk, const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm"})
    TRY(disk.remove(path + suffix));
  return {};
}

Result<std::unique_ptr<Store>> open_store(const StoreOptions& options,
                                          port::Clock& clock,
                                          port::Disk& disk,
                                          port::Lane& log_lane,
                                          port::Lane& state_lane) {
  TRY(disk.make_directories(options.directory).with("open store"));
  TRY(check_condemned(options.directory, disk).with("open store"));
  const std::string path = TRY(current_state(options.directory, disk).with("open store"));
  const LogOptions ring{options.directory + "/log",
                        options.segment_bytes != 0 ? options.segment_bytes : limits::kSegmentBytes,
                        options.segments != 0 ? options.segments : limits::kSegments};
  ReplicatedStore::Parts parts{path,    nullptr, nullptr, nullptr,  {},
                               options, clock,   disk,    log_lane, state_lane};
  parts.writer = TRY(open_with_reserve(options, disk, [&] {
                       return Writer::open(path, disk.sqlite_vfs());
                     }).with("open store"));
  parts.log = TRY(Log::open(ring, disk).with("open store"));
  std::optional<Applied> applied = TRY(parts.writer->applied().with("open store"));
  if (applied) {
    const auto identity = TRY(parts.writer->identity().with("open store"));
    if (!identity) return fail(Code::kCorrupt, "open store: the database has no identity");
    parts.identity = *identity;
  } else if (!parts.log->pristine()) {
    return fail(Code::kCorrupt, "open store: there is a log but no state: the database was lost");
  } else {
    applied = TRY(first_start(options, *parts.writer, parts.identity).with("open store"));
  }
  parts.reader = TRY(open_with_reserve(options, disk, [&] {
                       return Reader::open(path, disk.sqlite_vfs());
                     }).with("open store"));
  TRY(sync_directories(disk, options.directory).with("open store"));
  auto store = std::make_unique<ReplicatedStore>(std::move(parts));
  TRY(store->start(*applied).with("open store"));
  store->keep_reserve();
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace coracle::store
