// SPDX-License-Identifier: GPL-2.0-or-later
// The server under load: where it listens, how to log in, and what it costs the machine.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "http/client.h"
#include "port/linux/machine.h"

namespace coracle::bench {

struct Target {
  port::Endpoint server;
  std::shared_ptr<const http::TlsClientContext> tls;
  std::shared_ptr<const http::TlsClientContext> tls_http2;
};

// First cluster and user of a kubeconfig with inline certificates.
Result<Target> read_kubeconfig(port_linux::Machine& machine, const std::string& path);

// What a process has used so far, from /proc, and what the block device below its data was sent.
struct Cost {
  double cpu_us = 0;
  double device_bytes = 0;  // everything that anyone writes there: true on an idle machine only
  double device_flushes = 0;
  double rss_kib = 0;
  double rss_peak_kib = 0;  // since forget_peak()
};
// `device` is "major:minor" as in /proc/diskstats; empty: none is looked at.
Cost cost_of(port::Disk& disk, uint64_t pid, std::string_view device);
void forget_peak(port::Disk& disk, uint64_t pid);

}  // namespace coracle::bench
