// SPDX-License-Identifier: GPL-2.0-or-later
// What becomes of a store whose log or state is damaged.
//
// A member that has lost a part of what it promised - acknowledged entries, a vote - must never
// speak in its own name again: with a shorter log it could help a candidate to win that lacks
// committed entries, and without its vote it could vote twice in a term. So it does not try to
// remember. Its store is condemned by a file in its directory (which outlives a crash in between),
// the others remove it from the cluster, and it comes back as a new member under an id that was
// never used: a learner that holds nothing, takes a snapshot, counts for nothing until it has
// caught up with what the leader has committed, and is then promoted by an ordinary change of
// members. To Raft it is a member that has died and another one that has joined; nothing has to be
// proved that membership changes do not prove already. Removal needs a majority that does not count
// on the damaged member, so acknowledged writes are where a new leader must come from. The old
// directory is set aside, not deleted: until the newcomer is a voter it may hold the only second
// copy.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "port/disk.h"
#include "store/store.h"

namespace coracle::store {

// Who it was and whom it knew, as far as its state can still be read.
Result<Joining> read_remains(const std::string& directory, port::Disk& disk);

// From now on the store in the directory cannot be opened.
Result<> condemn(const std::string& directory, std::string_view why, port::Disk& disk);
Result<> check_condemned(const std::string& directory, port::Disk& disk);  // kCorrupt: it is

// Moves it to "<directory>.damaged"; what was there before is deleted.
Result<> set_aside(const std::string& directory, port::Disk& disk);
bool is_aside(const std::string& directory, port::Disk& disk);
Result<> forget_aside(const std::string& directory, port::Disk& disk);

}  // namespace coracle::store
