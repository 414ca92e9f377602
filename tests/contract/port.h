// SPDX-License-Identifier: GPL-2.0-or-later
// What a port must provide to be put to the contract tests: a default-constructible type with
//   port::Clock& clock(); port::Network& network(); port::Disk& disk(); port::Random& random();
//   std::unique_ptr<port::Lane> lane();
//   port::DatagramNetwork& datagrams();
//   port::Endpoint any_port();       an address to listen on, port 0
//   std::string scratch();           an empty directory that exists
//   bool run_until(done, limit);     runs turns until done() or until `limit` of the port's time
//   has passed
// Each port instantiates every suite: INSTANTIATE_TYPED_TEST_SUITE_P(Linux, ClockContract,
// LinuxPort).
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/time.h"
#include "port/clock.h"
#include "port/disk.h"
#include "port/net.h"
#include "port/random.h"

namespace coracle::contract {

inline constexpr Duration kSoon = seconds(5);

struct Bell : port::Alarm {
  void on_alarm(port::Timer&) override { rings++; }
  int rings = 0;
};

}  // namespace coracle::contract
