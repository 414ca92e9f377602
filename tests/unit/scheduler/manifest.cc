// SPDX-License-Identifier: GPL-2.0-or-later
// The same words for objects as in the controllers' scripts.
#include "tests/unit/controllers/manifest.cc"  // NOLINT(bugprone-suspicious-include)
