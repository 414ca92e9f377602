// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "port/linux/shim/record.h"

namespace coracle::shim {

// Fields type, source, target, options until the record ends. Counts what was mounted, for undo; on
// failure `message` says why and false is returned.
bool make_mounts(Record mounts, unsigned& made, Writer& message);
void undo_mounts(Record mounts, unsigned made);  // the last first

// A private mount namespace. On a hybrid cgroup system the second version's empty hierarchy is
// taken out of it: crun before 1.9 refuses to run when it sees both.
bool own_mounts(Writer& message);

}  // namespace coracle::shim
