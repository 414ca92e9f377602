// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/shim/connection.h"

#include "port/linux/shim/memory.h"
#include "port/linux/shim/syscall.h"

namespace coracle::shim {
namespace {

constexpr int kDontWait = 0x40;    // MSG_DONTWAIT
constexpr int kNoSignal = 0x4000;  // MSG_NOSIGNAL
constexpr size_t kRoom = 4 + kRecordBytesMax;

uint32_t record_size(const char* at) {
  const unsigned char* bytes = reinterpret_cast<const unsigned char*>(at);
  return bytes[0] | static_cast<uint32_t>(bytes[1]) << 8 | static_cast<uint32_t>(bytes[2]) << 16 |
         static_cast<uint32_t>(bytes[3]) << 24;
}

}  // namespace

void Connection::close() {
  if (fd_ >= 0) sys_close(fd_);
  fd_ = -1;
  if (received_ != nullptr) free_memory(received_, kRoom);
  received_ = nullptr;
  received_bytes_ = 0;
}

bool Connection::accept() {
  const long fd = sys(__NR_accept4, kListenFd, 0L, 0L, O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return false;
  close();
  fd_ = static_cast<int>(fd);
  Text<64> ready;
  ready.put("ready").end_field().number(static_cast<uint64_t>(sys(__NR_getpid))).end_field();
  send(ready);
  return true;
}

void Connection::refuse(const char* why) {
  fd_ = static_cast<int>(sys(__NR_accept4, kListenFd, 0L, 0L, O_CLOEXEC));
  Text<kMessageBytesMax + 16> failed;
  failed.put("failed").end_field().put(why).end_field();
  send(failed);
}

void Connection::send(const Writer& fields) {
  const uint32_t size = static_cast<uint32_t>(fields.size());
  char head[4];
  for (int i = 0; i < 4; i++)
    head[i] = static_cast<char>(size >> (8 * i));
  Text<4 + kMessageBytesMax + 512> record;
  record.put(head, 4).put(fields.text(), size);
  const long sent =
      sys(__NR_sendto, fd_, record.text(), record.size(), kDontWait | kNoSignal, 0L, 0L);
  if (sent != static_cast<long>(record.size())) close();
}

void Connection::send_container(const Container& container) {
  Text<kMessageBytesMax + 512> record;
  record.put("container").end_field().put(container.id).end_field();
  record.number(static_cast<uint64_t>(container.phase)).end_field();
  record.number(static_cast<uint64_t>(container.pid)).end_field();
  record.number(static_cast<uint64_t>(container.code)).end_field();
  record.number(static_cast<uint64_t>(container.signal)).end_field();
  record.number(container.started_ns).end_field().number(container.finished_ns).end_field();
  record.put(container.message.text()).end_field();
  send(record);
}

void Connection::send_tapped(const Container& container) {
  Text<kIdBytesMax + 16> record;
  record.put("tapped").end_field().put(container.id).end_field();
  if (open()) send(record);
}

// A record that is too long or not ended by a NUL is no daemon of ours: the connection is closed.
void Connection::receive(Obey obey) {
  if (received_ == nullptr) received_ = static_cast<char*>(new_memory(kRoom));
  const long got = sys_read(fd_, received_ + received_bytes_, kRoom - received_bytes_);
  if (got == -EAGAIN || got == -EINTR) return;
  if (got <= 0) return close();
  received_bytes_ += static_cast<size_t>(got);
  size_t at = 0;
  while (received_bytes_ - at >= 4) {
    const uint32_t size = record_size(received_ + at);
    if (size == 0 || size > kRecordBytesMax) return close();
    if (received_bytes_ - at - 4 < size) break;
    const char* record = received_ + at + 4;
    if (record[size - 1] != '\0') return close();
    obey(record, size);
    at += 4 + size;
  }
  received_bytes_ -= at;
  for (size_t i = 0; i < received_bytes_; i++)
    received_[i] = received_[at + i];
  if (received_bytes_ > 0) return;
  free_memory(received_, kRoom);
  received_ = nullptr;
}

}  // namespace coracle::shim
