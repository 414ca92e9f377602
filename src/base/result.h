// SPDX-License-Identifier: GPL-2.0-or-later
// Result<T>: a value or an Error. Only the part of std::expected's interface that g++ 12 could
// alias later.
//
// Three classes of error, never mixed: operating errors and user errors travel in a Result;
// programmer errors are ASSERTs. An Error's Code maps 1:1 to a Kubernetes Status reason and HTTP
// code (apimachinery pkg/apis/meta/v1/types.go, StatusReason); `causes` become
// Status.details.causes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/assert.h"

namespace coracle {

enum class Code : uint8_t {
  kBadRequest,            // 400 BadRequest
  kUnauthorized,          // 401 Unauthorized
  kForbidden,             // 403 Forbidden
  kNotFound,              // 404 NotFound
  kMethodNotAllowed,      // 405 MethodNotAllowed
  kNotAcceptable,         // 406 NotAcceptable
  kAlreadyExists,         // 409 AlreadyExists
  kConflict,              // 409 Conflict
  kExpired,               // 410 Expired
  kTooLarge,              // 413 RequestEntityTooLarge
  kUnsupportedMediaType,  // 415 UnsupportedMediaType
  kInvalid,               // 422 Invalid, with causes
  kTooManyRequests,       // 429 TooManyRequests
  kInternal,              // 500 InternalError
  kCorrupt,               // 500 StorageReadError: a checksum did not match
  kUnavailable,           // 503 ServiceUnavailable
  kTimeout,               // 504 Timeout: outcome unknown
  kIo,                    // an operating-system call failed; 500 if it reaches a client
};

// One field error. reason is a CauseType of upstream (FieldValueInvalid, FieldValueRequired,
// FieldValueDuplicate, FieldValueNotSupported, FieldValueForbidden, FieldValueTooLong, ...).
struct Cause {
  std::string reason;
  std::string message;
  std::string field;
};

struct Error {
  Code code = Code::kInternal;
  std::string message;
  std::vector<Cause> causes;
  uint32_t retry_after_s = 0;  // > 0: Retry-After header and details.retryAfterSeconds

  // Adds context once, at a room's border: "open store: no space left on device".
  [[nodiscard]] Error with(std::string_view context) && {
    message = std::string(context) + ": " + message;
    return std::move(*this);
  }
};

inline Error fail(Code code, std::string message) {
  return Error{code, std::move(message), {}, 0};
}

struct Nothing {};

template <class T = Nothing>
class [[nodiscard]] Result {
 public:
  Result() requires std::is_same_v<T, Nothing> : state_(std::in_place_index<0>) {}
  Result(T value)  // NOLINT: implicit by design
      : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error)  // NOLINT: implicit by design
      : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  T& value() & {
    ASSERT(has_value());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    ASSERT(has_value());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    ASSERT(has_value());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  Error& error() & {
    ASSERT(!has_value());
    return *std::get_if<1>(&state_);
  }
  const Error& error() const& {
    ASSERT(!has_value());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    ASSERT(!has_value());
    return std::move(*std::get_if<1>(&state_));
  }

  [[nodiscard]] Result with(std::string_view context) && {
    if (has_value()) return std::move(*this);
    return std::move(error()).with(context);
  }

 private:
  std::variant<T, Error> state_;
};

}  // namespace coracle

// Evaluates to the value, or returns the error from the calling function.
#define TRY(expression)                                      \
  __extension__({                                            \
    auto try_result_ = (expression);                         \
    if (!try_result_) return std::move(try_result_).error(); \
    std::move(try_result_).value();                          \
  })
