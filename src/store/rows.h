// SPDX-License-Identifier: GPL-2.0-or-later
// A consistent list at one version: chunks of the present state, in which keys that changed after
// the version have the state that the ring remembers for them.
#pragma once

#include <map>
#include <string>

#include "store/ring.h"
#include "store/store.h"
#include "store/view.h"

namespace coracle::store {

class RowsAt : public Rows {
 public:
  struct From {
    std::string prefix;
    std::string after;  // >= prefix
    uint64_t version = 0;
  };
  RowsAt(const View& view, const Ring& ring, From from);
  Result<bool> next(Row& row) override;
  uint64_t version() const override { return version_; }

 private:
  Result<> read_chunk();
  Result<> catch_up();  // with the ring
  void correct(Chunk& chunk);

  const View& view_;
  const Ring& ring_;
  std::string end_;
  std::string cursor_;
  uint64_t version_;
  uint64_t ring_next_;
  std::map<std::string, api::ObjectRef>
      before_;  // state at version_ of keys changed since; null: absent
  size_t before_bytes_ = 0;
  Chunk chunk_;
  size_t in_chunk_ = 0;
};

}  // namespace coracle::store
