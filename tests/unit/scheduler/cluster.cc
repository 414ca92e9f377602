// SPDX-License-Identifier: GPL-2.0-or-later
// The same double of the cluster as the controllers' tests.
#include "tests/unit/controllers/cluster.cc"  // NOLINT(bugprone-suspicious-include)
