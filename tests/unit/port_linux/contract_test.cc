// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/contract/clock.h"
#include "tests/contract/datagrams.h"
#include "tests/contract/disk.h"
#include "tests/contract/net.h"
#include "tests/contract/tree.h"
#include "tests/unit/port_linux/linux_port.h"

namespace coracle::contract {

using port_linux::LinuxPort;

INSTANTIATE_TYPED_TEST_SUITE_P(Linux, ClockContract, LinuxPort);
INSTANTIATE_TYPED_TEST_SUITE_P(Linux, DatagramContract, LinuxPort);
INSTANTIATE_TYPED_TEST_SUITE_P(Linux, DiskContract, LinuxPort);
INSTANTIATE_TYPED_TEST_SUITE_P(Linux, NetContract, LinuxPort);
INSTANTIATE_TYPED_TEST_SUITE_P(Linux, TreeContract, LinuxPort);

}  // namespace coracle::contract
