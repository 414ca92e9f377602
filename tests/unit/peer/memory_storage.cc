// SPDX-License-Identifier: GPL-2.0-or-later
// The cores of these tests keep their logs as those of raft's own tests do.
#include "tests/unit/raft/memory_storage.cc"
