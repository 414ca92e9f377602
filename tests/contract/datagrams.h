// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "port/datagrams.h"
#include "tests/contract/port.h"

namespace coracle::contract {

struct Mailbox : port::DatagramEvents {
  void on_datagram(std::string_view bytes, const port::Endpoint& from) override {
    letters.emplace_back(bytes);
    sender = from;
    if (closes) socket.reset();
  }
  void on_unreachable() override { returned++; }
  std::unique_ptr<port::Datagrams> socket;
  std::vector<std::string> letters;
  port::Endpoint sender;
  bool closes = false;
  int returned = 0;
};

template <class Port>
class DatagramContract : public ::testing::Test {
 protected:
  void open() {
    auto bound = port_.datagrams().bind(port_.any_port(), server_);
    ASSERT_TRUE(bound) << bound.error().message;
    server_.socket = std::move(*bound);
    auto reached = port_.datagrams().reach(server_.socket->local(), client_);
    ASSERT_TRUE(reached) << reached.error().message;
    client_.socket = std::move(*reached);
  }
  Port port_;
  Mailbox server_;
  Mailbox client_;
};
TYPED_TEST_SUITE_P(DatagramContract);

TYPED_TEST_P(DatagramContract, QuestionAndAnswerKeepTheirBounds) {
  this->open();
  EXPECT_NE(this->server_.socket->local().port, 0);
  ASSERT_TRUE(this->client_.socket->send("question"));
  ASSERT_TRUE(this->client_.socket->send(std::string(1400, 'q')));
  ASSERT_TRUE(this->port_.run_until([&] { return this->server_.letters.size() == 2; }, kSoon));
  ASSERT_TRUE(this->server_.socket->send("answer", this->server_.sender));
  ASSERT_TRUE(this->port_.run_until([&] { return this->client_.letters.size() == 1; }, kSoon));
  EXPECT_EQ(this->client_.letters[0], "answer");
  EXPECT_EQ(this->client_.sender.port, this->server_.socket->local().port);
}

TYPED_TEST_P(DatagramContract, StrangersAreNotHeardByWhoHasAPeer) {
  this->open();
  Mailbox stranger;
  auto bound = this->port_.datagrams().bind(this->port_.any_port(), stranger);
  ASSERT_TRUE(bound);
  stranger.socket = std::move(*bound);
  ASSERT_TRUE(this->client_.socket->send("hello"));
  ASSERT_TRUE(this->port_.run_until([&] { return this->server_.letters.size() == 1; }, kSoon));
  EXPECT_TRUE(stranger.socket->send("forged", this->server_.sender));
  this->port_.run_until([] { return false; }, milliseconds(20));
  EXPECT_EQ(this->client_.letters.size(), 0u);
}

TYPED_TEST_P(DatagramContract, WhoHasAPeerHearsThatNobodyListens) {
  this->open();
  this->server_.socket.reset();
  ASSERT_TRUE(this->client_.socket->send("anybody?"));
  EXPECT_TRUE(this->port_.run_until([&] { return this->client_.returned == 1; }, kSoon));
}

TYPED_TEST_P(DatagramContract, AListenerMayCloseItsSocketInsideAnEvent) {
  this->open();
  this->server_.closes = true;
  ASSERT_TRUE(this->client_.socket->send("one"));
  ASSERT_TRUE(this->client_.socket->send("two"));
  ASSERT_TRUE(this->port_.run_until([&] { return !this->server_.socket; }, kSoon));
  this->port_.run_until([] { return false; }, milliseconds(20));
  EXPECT_EQ(this->server_.letters.size(), 1u);
}

TYPED_TEST_P(DatagramContract, WhatIsNoAddressIsRefused) {
  EXPECT_FALSE(this->port_.datagrams().bind({"not-an-address", 1}, this->server_));
  EXPECT_FALSE(this->port_.datagrams().reach({"not-an-address", 1}, this->server_));
  this->open();
  Mailbox second;
  EXPECT_FALSE(this->port_.datagrams().bind(this->server_.socket->local(), second));
}

REGISTER_TYPED_TEST_SUITE_P(DatagramContract,
                            QuestionAndAnswerKeepTheirBounds,
                            StrangersAreNotHeardByWhoHasAPeer,
                            WhoHasAPeerHearsThatNobodyListens,
                            AListenerMayCloseItsSocketInsideAnEvent,
                            WhatIsNoAddressIsRefused);

}  // namespace coracle::contract
