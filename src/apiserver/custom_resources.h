// SPDX-License-Identifier: GPL-2.0-or-later
// Serves what CustomResourceDefinitions declare: keeps the registry of custom kinds as the stored
// definitions say, and judges their names.
#pragma once

#include <set>
#include <string>

#include "api/client.h"
#include "apiserver/exchange.h"

namespace coracle::apiserver {

class CustomResources final : api::Feed {
 public:
  CustomResources(store::Store& store, Pages& pages) : store_(store), pages_(pages) {}
  ~CustomResources();
  CustomResources(const CustomResources&) = delete;
  CustomResources& operator=(const CustomResources&) = delete;

  void start();  // takes in what is stored

 private:
  void on_change(const api::Change& change) override;
  void take(json::Node definition, bool deleting);
  void retire(std::string_view group, std::string_view plural);

  store::Store& store_;
  Pages& pages_;
  bool started_ = false;
  std::set<std::pair<std::string, std::string>> served_;  // (group, plural)
};

// Names that are taken make a definition that is not established; others are in use at once.
Result<> admit_definition(Parts& parts, Request& request);
// Nothing new of a kind whose definition is on its way out.
Result<> admit_custom(Parts& parts, Request& request);

}  // namespace coracle::apiserver
