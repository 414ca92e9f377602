// SPDX-License-Identifier: GPL-2.0-or-later
// LIST: rows of the store, shaped one by one and sent in chunks. The next chunk is made when the
// last one has left, so memory does not grow with the list. A list that fits into one chunk is sent
// whole.
#pragma once

#include <memory>
#include <string>

#include "apiserver/exchange.h"
#include "apiserver/format.h"
#include "apiserver/selection.h"

namespace coracle::apiserver {

Result<Next> list_objects(Parts& parts, Exchange& exchange);

// The newest state of what a list or watch selects; one name in one namespace is a read of it.
Result<std::unique_ptr<store::Rows>> newest_rows(store::Store& store,
                                                 const Request& request,
                                                 const Selection& selection);

// 504 Timeout with cause ResourceVersionTooLarge if `version` lies in the future.
Result<> check_not_in_future(uint64_t version, uint64_t newest);

// The `continue` token: base64url of {"v":"meta.k8s.io/v1","rv":7,"start":"default/web!"} ("!":
// after that key).
struct ContinueToken {
  int64_t version = 0;  // -1: go on at the newest version
  std::string after;    // key below the list's prefix
};
std::string encode_continue(const ContinueToken& token);
Result<ContinueToken> decode_continue(std::string_view text);

}  // namespace coracle::apiserver
