// SPDX-License-Identifier: GPL-2.0-or-later
// The cases of the Kubernetes DNS specification 1.1.0.
#include "proxy/dns_zone.h"

#include <gtest/gtest.h>

#include "tests/unit/proxy/dns_text.h"
#include "tests/unit/proxy/fake_client.h"

namespace coracle::proxy {
namespace {

using namespace dns_type;

class DnsZoneTest : public ::testing::Test, api::Feed {
 protected:
  DnsZoneTest() {
    client_.subscribe(*this);
    for (const char* name : {"default", "shop"})
      client_.put(api::kNamespace, join({R"({"metadata":{"name":")", name, "\"}}"}));
    client_.put(api::kService, R"({"metadata":{"name":"web","namespace":"shop"},"spec":{
      "type":"ClusterIP","clusterIP":"10.43.0.7","ports":[
      {"name":"http","port":80,"protocol":"TCP"},{"name":"names","port":53,"protocol":"UDP"}]}})");
    client_.put(api::kService, R"({"metadata":{"name":"db","namespace":"shop"},"spec":{
      "clusterIP":"None","ports":[{"name":"sql","port":5432,"protocol":"TCP"}]}})");
    slice("web-1", "web", R"([{"addresses":["10.42.0.9"]}])");
    slice("db-1", "db", R"([{"addresses":["10.42.0.3"],"hostname":"db-0"},
      {"addresses":["10.42.0.4"],"hostname":"db-1","conditions":{"ready":false}},
      {"addresses":["10.42.0.5"]}])");
    alias("away", "Example.ORG");
    alias("inner", "web.shop.svc.cluster.local");
    alias("round", "round.shop.svc.cluster.local");
  }
  ~DnsZoneTest() override { client_.unsubscribe(*this); }
  void alias(const char* name, const char* to) {
    client_.put(api::kService,
                join({R"({"metadata":{"name":")", name,
                      R"(","namespace":"shop"},"spec":{"type":"ExternalName","externalName":")", to,
                      "\"}}"}));
  }
  void slice(const char* name, const char* service, std::string_view endpoints) {
    client_.put(api::kEndpointSlice,
                join({R"({"metadata":{"name":")", name,
                      R"(","namespace":"shop","labels":{"kubernetes.io/service-name":")", service,
                      R"("}},"addressType":"IPv4","ports":[{"name":"sql","port":5432,)"
                      R"("protocol":"TCP"}],"endpoints":)",
                      endpoints, "}"}));
  }
  void on_change(const api::Change& change) override {
    if (&change.after->kind() == &api::kEndpointSlice) slices_.take(change);
  }
  std::string ask(std::string_view name, uint16_t type = kA) {
    const auto answer = zone_.answer({wire_name(name), type, 1});
    return answer ? answer_text(*answer) : "not ours";
  }

  FakeClient client_;
  SliceIndex slices_;
  DnsZone zone_{client_,
                slices_,
                {"cluster.local", *parse_ip4("10.43.0.10"), *parse_cidr4("10.43.0.0/16"),
                 *parse_cidr4("10.42.0.0/16")}};
};

TEST_F(DnsZoneTest, ServicesHaveTheirClusterAddress) {
  EXPECT_EQ(ask("web.shop.svc.cluster.local"), "0: A 10.43.0.7");
  EXPECT_EQ(ask("WEB.Shop.SVC.cluster.LOCAL"), "0: A 10.43.0.7");
  EXPECT_EQ(ask("web.shop.svc.cluster.local", kAaaa), "0: / SOA") << "exists, has no IPv6";
  EXPECT_EQ(ask("none.shop.svc.cluster.local"), "3: / SOA");
  EXPECT_EQ(ask("web.default.svc.cluster.local"), "3: / SOA");
}

TEST_F(DnsZoneTest, HeadlessServicesHaveTheirReadyEndpoints) {
  EXPECT_EQ(ask("db.shop.svc.cluster.local"), "0: A 10.42.0.3, A 10.42.0.5");
  EXPECT_EQ(ask("db-0.db.shop.svc.cluster.local"), "0: A 10.42.0.3");
  EXPECT_EQ(ask("db-1.db.shop.svc.cluster.local"), "3: / SOA") << "not ready";
  EXPECT_EQ(ask("10-42-0-5.db.shop.svc.cluster.local"), "0: A 10.42.0.5");
  slice("db-1", "db", "[]");
  EXPECT_EQ(ask("db.shop.svc.cluster.local"), "3: / SOA") << "none is ready: no such name";
}

TEST_F(DnsZoneTest, AddressesAreGivenOutInTurn) {
  const DnsQuestion question{wire_name("db.shop.svc.cluster.local"), kA, 1};
  const std::string first = record_text(zone_.answer(question)->answers[0]);
  EXPECT_NE(record_text(zone_.answer(question)->answers[0]), first);
}

TEST_F(DnsZoneTest, NamedPortsHaveServiceRecords) {
  EXPECT_EQ(ask("_http._tcp.web.shop.svc.cluster.local", kSrv),
            "0: SRV 80 web.shop.svc.cluster.local.");
  EXPECT_EQ(ask("_names._udp.web.shop.svc.cluster.local", kSrv),
            "0: SRV 53 web.shop.svc.cluster.local.");
  EXPECT_EQ(ask("_names._tcp.web.shop.svc.cluster.local", kSrv), "3: / SOA");
  EXPECT_EQ(ask("_http._tcp.web.shop.svc.cluster.local"), "0: / SOA");
  EXPECT_EQ(ask("_tcp.web.shop.svc.cluster.local"), "0: / SOA");
  EXPECT_EQ(ask("_sctp.web.shop.svc.cluster.local"), "3: / SOA");
  EXPECT_EQ(ask("_sql._tcp.db.shop.svc.cluster.local", kSrv),
            "0: SRV 5432 10-42-0-5.db.shop.svc.cluster.local., "
            "SRV 5432 db-0.db.shop.svc.cluster.local.");
  const auto answer = zone_.answer({wire_name("_sql._tcp.db.shop.svc.cluster.local"), kSrv, 1});
  ASSERT_EQ(answer->additional.size(), 2u);
  EXPECT_EQ(dotted(answer->additional[0].owner), "db-0.db.shop.svc.cluster.local.");
}

TEST_F(DnsZoneTest, ExternalNamesAreAliases) {
  EXPECT_EQ(ask("away.shop.svc.cluster.local"), "0: CNAME example.org.");
  EXPECT_EQ(ask("inner.shop.svc.cluster.local"),
            "0: A 10.43.0.7, CNAME web.shop.svc.cluster.local.");
  EXPECT_EQ(ask("inner.shop.svc.cluster.local", kCname), "0: CNAME web.shop.svc.cluster.local.");
  EXPECT_EQ(ask("round.shop.svc.cluster.local"), "2:") << "goes in a circle";
}

TEST_F(DnsZoneTest, AddressesHaveNamesOnceSomebodyAsks) {
  EXPECT_EQ(ask("7.0.43.10.in-addr.arpa", kPtr), "0: PTR web.shop.svc.cluster.local.");
  EXPECT_EQ(ask("3.0.42.10.in-addr.arpa", kPtr), "0: PTR db-0.db.shop.svc.cluster.local.");
  EXPECT_EQ(ask("9.9.42.10.in-addr.arpa", kPtr), "3: / SOA");
  slice("db-1", "db", R"([{"addresses":["10.42.9.9"],"hostname":"moved"}])");
  EXPECT_EQ(ask("9.9.42.10.in-addr.arpa", kPtr), "0: PTR moved.db.shop.svc.cluster.local.");
  EXPECT_EQ(ask("3.0.42.10.in-addr.arpa", kPtr), "3: / SOA");
  client_.remove(api::kService, "shop", "web");
  EXPECT_EQ(ask("7.0.43.10.in-addr.arpa", kPtr), "3: / SOA");
  EXPECT_EQ(ask("1.0.168.192.in-addr.arpa", kPtr), "not ours");
}

TEST_F(DnsZoneTest, NamesBetweenAreThereAndOthersAreNot) {
  EXPECT_EQ(ask("dns-version.cluster.local", kTxt), "0: TXT 1.1.0");
  EXPECT_EQ(ask("cluster.local", kSoa), "0: SOA");
  EXPECT_EQ(ask("cluster.local", kNs), "0: NS ns.dns.cluster.local.");
  EXPECT_EQ(ask("ns.dns.cluster.local"), "0: A 10.43.0.10");
  EXPECT_EQ(ask("svc.cluster.local"), "0: / SOA");
  EXPECT_EQ(ask("shop.svc.cluster.local"), "0: / SOA");
  EXPECT_EQ(ask("nowhere.svc.cluster.local"), "3: / SOA");
  EXPECT_EQ(ask("10-42-0-9.shop.pod.cluster.local"), "0: A 10.42.0.9");
  EXPECT_EQ(ask("10-42-0-9.nowhere.pod.cluster.local"), "3: / SOA");
  EXPECT_EQ(ask("10-42-0.shop.pod.cluster.local"), "3: / SOA");
  EXPECT_EQ(ask("a.b.c.d.e.svc.cluster.local"), "3: / SOA");
  EXPECT_EQ(ask("example.org"), "not ours");
  EXPECT_EQ(ask("notcluster.local"), "not ours");
}

}  // namespace
}  // namespace coracle::proxy
