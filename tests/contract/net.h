// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "tests/contract/port.h"

namespace coracle::contract {

// One end of a connection that writes down all it hears.
struct Ear : port::StreamEvents {
  void on_connected() override { connected++; }
  void on_bytes(std::string_view bytes) override {
    heard.append(bytes);
    if (!echo_to_self) return;
    stream->send(std::string(bytes));
  }
  void on_drained() override { drained++; }
  void on_closed(std::string_view reason) override {
    closed++;
    why = reason;
  }
  std::unique_ptr<port::Stream> stream;
  std::string heard;
  std::string why;
  bool echo_to_self = false;
  int connected = 0;
  int drained = 0;
  int closed = 0;
};

struct Door : port::Acceptor {
  void on_accept(std::unique_ptr<port::Stream> stream) override {
    ear.stream = std::move(stream);
    if (listen_at_once) ear.stream->listen_to(ear);
    accepted++;
  }
  Ear ear;
  bool listen_at_once = true;
  int accepted = 0;
};

template <class Port>
class NetContract : public ::testing::Test {
 protected:
  void open() {
    auto listening = port_.network().listen(port_.any_port(), door_);
    ASSERT_TRUE(listening) << listening.error().message;
    listener_ = std::move(*listening);
    client_.stream = port_.network().connect(listener_->local(), client_);
    ASSERT_TRUE(
        port_.run_until([&] { return door_.accepted == 1 && client_.connected == 1; }, kSoon));
  }
  Port port_;
  Door door_;
  std::unique_ptr<port::Listener> listener_;
  Ear client_;
};
TYPED_TEST_SUITE_P(NetContract);

TYPED_TEST_P(NetContract, BytesArriveInOrderBothWays) {
  this->open();
  EXPECT_NE(this->listener_->local().port, 0);
  this->client_.stream->send("hello ");
  this->client_.stream->send("world");
  ASSERT_TRUE(this->port_.run_until([&] { return this->door_.ear.heard == "hello world"; }, kSoon));
  this->door_.ear.stream->send("back");
  EXPECT_TRUE(this->port_.run_until([&] { return this->client_.heard == "back"; }, kSoon));
  EXPECT_NE(this->door_.ear.stream->peer().port, 0);
}

TYPED_TEST_P(NetContract, BytesSentBeforeTheConnectionStandsAreKept) {
  auto listening = this->port_.network().listen(this->port_.any_port(), this->door_);
  ASSERT_TRUE(listening);
  this->client_.stream = this->port_.network().connect((*listening)->local(), this->client_);
  this->client_.stream->send("early");
  EXPECT_TRUE(this->port_.run_until([&] { return this->door_.ear.heard == "early"; }, kSoon));
}

TYPED_TEST_P(NetContract, ConnectionToNobodyClosesOnceAndNotFromInsideConnect) {
  port::Endpoint nobody;
  {
    auto listening = this->port_.network().listen(this->port_.any_port(), this->door_);
    ASSERT_TRUE(listening);
    nobody = (*listening)->local();
  }
  this->port_.run_until([] { return false; }, milliseconds(5));
  this->client_.stream = this->port_.network().connect(nobody, this->client_);
  EXPECT_EQ(this->client_.closed, 0);
  ASSERT_TRUE(this->port_.run_until([&] { return this->client_.closed == 1; }, kSoon));
  EXPECT_EQ(this->client_.connected, 0);
  EXPECT_FALSE(this->client_.why.empty());
}

TYPED_TEST_P(NetContract, AnAddressThatIsNotOneIsRefused) {
  this->client_.stream = this->port_.network().connect({"not-an-address", 1}, this->client_);
  EXPECT_EQ(this->client_.closed, 0);
  EXPECT_TRUE(this->port_.run_until([&] { return this->client_.closed == 1; }, kSoon));
  EXPECT_FALSE(this->port_.network().listen({"not-an-address", 1}, this->door_));
}

TYPED_TEST_P(NetContract, ASecondListenerOnOneAddressIsRefused) {
  auto first = this->port_.network().listen(this->port_.any_port(), this->door_);
  ASSERT_TRUE(first);
  EXPECT_FALSE(this->port_.network().listen((*first)->local(), this->door_));
}

TYPED_TEST_P(NetContract, FinishSendsEverythingThenBothEndsClose) {
  this->open();
  const std::string much(300'000, 'x');
  this->client_.stream->send(much);
  this->client_.stream->finish();
  ASSERT_TRUE(this->port_.run_until([&] { return this->door_.ear.closed == 1; }, kSoon));
  EXPECT_EQ(this->door_.ear.heard.size(), much.size());
  EXPECT_TRUE(this->port_.run_until([&] { return this->client_.closed == 1; }, kSoon));
}

TYPED_TEST_P(NetContract, FinishBeforeTheConnectionStandsClosesAfterIt) {
  auto listening = this->port_.network().listen(this->port_.any_port(), this->door_);
  ASSERT_TRUE(listening);
  this->client_.stream = this->port_.network().connect((*listening)->local(), this->client_);
  this->client_.stream->finish();
  ASSERT_TRUE(this->port_.run_until([&] { return this->door_.ear.closed == 1; }, kSoon));
  EXPECT_TRUE(this->port_.run_until([&] { return this->client_.closed == 1; }, kSoon));
}

TYPED_TEST_P(NetContract, DestroyingAStreamClosesTheOtherEndAndSaysNothingHere) {
  this->open();
  this->client_.stream.reset();
  ASSERT_TRUE(this->port_.run_until([&] { return this->door_.ear.closed == 1; }, kSoon));
  EXPECT_EQ(this->client_.closed, 0);
}

TYPED_TEST_P(NetContract, PausedReaderMakesTheSenderQueueUntilItReadsAgain) {
  this->open();
  this->door_.ear.stream->pause_reading(true);
  size_t sent = 0;
  while (sent < 32 * 1024 * 1024 && this->client_.stream->queued() == 0) {
    this->client_.stream->send(std::string(1024 * 1024, 'y'));
    sent += 1024 * 1024;
  }
  ASSERT_GT(this->client_.stream->queued(), 0u);
  this->port_.run_until([] { return false; }, milliseconds(20));
  EXPECT_EQ(this->client_.drained, 0);
  EXPECT_EQ(this->door_.ear.heard.size(), 0u);
  this->door_.ear.stream->pause_reading(false);
  ASSERT_TRUE(this->port_.run_until([&] { return this->door_.ear.heard.size() == sent; }, kSoon));
  EXPECT_TRUE(this->port_.run_until([&] { return this->client_.drained == 1; }, kSoon));
  EXPECT_EQ(this->client_.stream->queued(), 0u);
}

TYPED_TEST_P(NetContract, AcceptedStreamWaitsForItsListener) {
  this->door_.listen_at_once = false;
  this->open();
  this->client_.stream->send("patience");
  this->port_.run_until([] { return false; }, milliseconds(20));
  EXPECT_EQ(this->door_.ear.heard, "");
  this->door_.ear.stream->listen_to(this->door_.ear);
  EXPECT_TRUE(this->port_.run_until([&] { return this->door_.ear.heard == "patience"; }, kSoon));
}

TYPED_TEST_P(NetContract, AListenerMayDestroyItsStreamInsideAnEvent) {
  struct Suicidal : port::StreamEvents {
    void on_bytes(std::string_view) override {
      heard++;
      stream.reset();
    }
    void on_closed(std::string_view) override { closed++; }
    std::unique_ptr<port::Stream> stream;
    int heard = 0;
    int closed = 0;
  };
  auto listening = this->port_.network().listen(this->port_.any_port(), this->door_);
  ASSERT_TRUE(listening);
  Suicidal client;
  client.stream = this->port_.network().connect((*listening)->local(), client);
  ASSERT_TRUE(this->port_.run_until([&] { return this->door_.accepted == 1; }, kSoon));
  this->door_.ear.stream->send("die");
  ASSERT_TRUE(this->port_.run_until([&] { return client.heard == 1; }, kSoon));
  EXPECT_TRUE(this->port_.run_until([&] { return this->door_.ear.closed == 1; }, kSoon));
  EXPECT_EQ(client.closed, 0);
}

TYPED_TEST_P(NetContract, LocalSocketsCarryBytesOverPathsOfAnyLength) {
  const std::string directory = this->port_.scratch() + "/" + std::string(120, 'd');
  ASSERT_TRUE(this->port_.disk().make_directories(directory));
  const std::string path = directory + "/socket";
  auto listening = this->port_.network().listen_local(path, this->door_);
  ASSERT_TRUE(listening) << listening.error().message;
  this->client_.stream = this->port_.network().connect_local(path, this->client_);
  this->client_.stream->send("local");
  ASSERT_TRUE(this->port_.run_until([&] { return this->door_.ear.heard == "local"; }, kSoon));
  this->door_.ear.stream->send("answer");
  EXPECT_TRUE(this->port_.run_until([&] { return this->client_.heard == "answer"; }, kSoon));
  EXPECT_FALSE(this->port_.network().listen_local(path, this->door_)) << "the socket is alive";
}

REGISTER_TYPED_TEST_SUITE_P(NetContract,
                            BytesArriveInOrderBothWays,
                            BytesSentBeforeTheConnectionStandsAreKept,
                            ConnectionToNobodyClosesOnceAndNotFromInsideConnect,
                            AnAddressThatIsNotOneIsRefused,
                            ASecondListenerOnOneAddressIsRefused,
                            FinishSendsEverythingThenBothEndsClose,
                            FinishBeforeTheConnectionStandsClosesAfterIt,
                            DestroyingAStreamClosesTheOtherEndAndSaysNothingHere,
                            PausedReaderMakesTheSenderQueueUntilItReadsAgain,
                            AcceptedStreamWaitsForItsListener,
                            AListenerMayDestroyItsStreamInsideAnEvent,
                            LocalSocketsCarryBytesOverPathsOfAnyLength);

}  // namespace coracle::contract
