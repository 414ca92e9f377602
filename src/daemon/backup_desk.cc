// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/backup_desk.h"

#include <utility>

#include "base/bytes.h"
#include "store/transport.h"

namespace coracle::daemon {

struct BackupDesk::Run {
  uint64_t token = 0;
  std::string path;
  std::unique_ptr<store::SnapshotSource> source;
  std::unique_ptr<port::File> file;
  std::string bytes;  // the next piece
  uint64_t written = 0;
  bool last = false;

  std::string partial() const { return path + ".part"; }
  std::string directory() const {
    const size_t slash = path.rfind('/');
    return slash == 0 ? "/" : path.substr(0, slash);
  }
};

class BackupDesk::WriteJob final : public port::Job {
 public:
  WriteJob(BackupDesk& desk, std::unique_ptr<Run> run)
      : desk_(&desk),
        disk_(desk.disk_),
        run_(std::move(run)) {}
  void run() override { result_ = write(); }
  void done() override {
    if (desk_ == nullptr) return;
    desk_->writing_ = nullptr;
    if (!result_ || run_->last) return desk_->end(*run_, std::move(result_));
    desk_->go_on(std::move(run_));
  }
  void forget() { desk_ = nullptr; }

 private:
  Result<> write() {
    if (run_->file == nullptr)
      run_->file = TRY(disk_.open(run_->partial(), port::OpenMode::kTruncate, 0600));
    TRY(run_->file->append(run_->bytes));
    run_->written += run_->bytes.size();
    if (!run_->last) return {};
    TRY(run_->file->sync());
    TRY(disk_.rename(run_->partial(), run_->path));
    return disk_.sync_directory(run_->directory());
  }

  BackupDesk* desk_;
  port::Disk& disk_;
  std::unique_ptr<Run> run_;
  Result<> result_;
};

void BackupDesk::open(store::Store& store, port::Lane& lane) {
  store_ = &store;
  lane_ = &lane;
}

void BackupDesk::close() {
  if (writing_ != nullptr) writing_->forget();
  writing_ = nullptr;
  store_ = nullptr;
}

bool BackupDesk::take(uint64_t token, const std::vector<std::string>& words) {
  if (words.size() != 2 || words[0] != "backup" || store_ == nullptr) return false;
  auto run = std::make_unique<Run>();
  run->token = token;
  run->path = words[1];
  if (!run->path.starts_with('/') || run->path.ends_with('/')) {
    end(*run, fail(Code::kBadRequest, "a backup needs the absolute path of a file"));
    return true;
  }
  if (writing_ != nullptr) {
    end(*run, fail(Code::kConflict, "another backup is being written"));
    return true;
  }
  auto source = store_->backup();
  if (!source) {
    end(*run, std::move(source).error());
    return true;
  }
  run->source = std::move(*source);
  go_on(std::move(run));
  return true;
}

void BackupDesk::go_on(std::unique_ptr<Run> run) {
  Result<bool> more = run->source->next(run->bytes);
  if (!more) return end(*run, std::move(more).error());
  if (!*more) run->bytes.clear();
  run->last = !*more;
  auto job = std::make_unique<WriteJob>(*this, std::move(run));
  writing_ = job.get();
  lane_->submit(std::move(job));
}

void BackupDesk::end(const Run& run, Result<> result) {
  if (result) {
    return control_.answer(
        run.token, join({"wrote ", run.path, ", ", std::to_string(run.written), " bytes\n"}));
  }
  if (run.file != nullptr) static_cast<void>(disk_.remove(run.partial()));
  control_.answer(run.token, std::move(result).error());
}

}  // namespace coracle::daemon
