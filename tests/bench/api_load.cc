// SPDX-License-Identifier: GPL-2.0-or-later
// coracle_bench: one workload against a running server, one JSON line as its result.
//
//   coracle_bench --kubeconfig F [--server-pid N] [--device 8:0] --name write.create.c1 --workload
//   create-pods
//                 [--clients 1] [--operations 100] [--bytes 2600] [--pause-ms 0] [--image I]
//
// Workloads: create-pods, create-configmaps, get-pod, list-configmaps, watch, start-pods, put-etcd
// (its JSON gateway). Objects are made in namespace "bench", which exists; get-pod wants a Pod
// "read" in it (print-pod prints one), watch a ConfigMap "watched" with data.sent: "0" in
// namespace "bench-watch".
#include <cstdio>

#include <unistd.h>

#include "base/bytes.h"
#include "json/tree.h"
#include "tests/bench/watching.h"

namespace coracle::bench {

namespace {

constexpr std::string_view kNamespace = "/api/v1/namespaces/bench/";

struct Wanted {
  std::string kubeconfig;
  std::string name;
  std::string workload;
  std::string image = "coracle.local/demo:1";
  size_t bytes = 2600;
  LoadOptions load;
};

// A Pod that no scheduler takes, with as many environment variables as the size asks for.
std::string pod_text(const std::string& name, size_t bytes) {
  std::string text = join(
      {R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":")", name,
       R"(","labels":{"app":"bench","app.kubernetes.io/name":"bench","tier":"none"},)"
       R"("annotations":{"example.com/made-by":"coracle_bench"}},"spec":{"schedulerName":"none",)"
       R"("nodeSelector":{"example.com/nowhere":"true"},"containers":[{"name":"main",)"
       R"("image":"example.com/nothing:1","ports":[{"name":"http","containerPort":8080}],)"
       R"("resources":{"requests":{"cpu":"10m","memory":"16Mi"},"limits":{"memory":"32Mi"}},)"
       R"("readinessProbe":{"httpGet":{"path":"/ready","port":"http"},"periodSeconds":5},)"
       R"("env":[{"name":"FIRST","value":"1"})"});
  for (size_t i = 0; text.size() + 60 < bytes; i++)
    text += join({R"(,{"name":"SETTING_)", std::to_string(i), R"(","value":"some-value-)",
                  std::to_string(i * 7919), "\"}"});
  return text + "]}]}}";
}

std::string config_map_text(const std::string& name, size_t bytes) {
  const std::string head = join({R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":")",
                                 name, R"("},"data":{"content":")"});
  return join(
      {head, std::string(bytes > head.size() + 3 ? bytes - head.size() - 3 : 1, 'x'), "\"}}"});
}

class Making final : public Requests {
 public:
  explicit Making(const Wanted& wanted) : wanted_(wanted) {}
  http::Request make(size_t index) override {
    const std::string number = std::to_string(index);
    const std::string unique = join({std::to_string(::getpid()), "-", number});
    if (wanted_.workload == "create-pods")
      return post(join({kNamespace, "pods"}), pod_text("load-" + unique, wanted_.bytes));
    if (wanted_.workload == "create-configmaps")
      return post(join({kNamespace, "configmaps"}),
                  config_map_text("load-" + unique, wanted_.bytes));
    if (wanted_.workload == "put-etcd")
      return post("/v3/kv/put", join({R"({"key":")", base64("bench/" + unique), R"(","value":")",
                                      base64(std::string(wanted_.bytes, 'x')), "\"}"}));
    if (wanted_.workload == "get-pod") return get(join({kNamespace, "pods/read"}));
    return get(join({kNamespace, "configmaps"}));
  }

 private:
  static http::Request get(std::string path) {
    http::Request request;
    request.method = "GET";
    request.path = std::move(path);
    request.headers = {{"accept", "application/json"}};
    return request;
  }
  static http::Request post(std::string path, std::string body) {
    http::Request request = get(std::move(path));
    request.method = "POST";
    request.headers.push_back({"content-type", "application/json"});
    request.body = std::move(body);
    return request;
  }
  const Wanted& wanted_;
};

struct TextFlag {
  std::string_view name;
  std::string Wanted::*at;
};
constexpr TextFlag kTexts[] = {{"--kubeconfig", &Wanted::kubeconfig},
                               {"--name", &Wanted::name},
                               {"--workload", &Wanted::workload},
                               {"--image", &Wanted::image}};

Result<> set_flag(Wanted& wanted, std::string_view flag, std::string_view value) {
  for (const TextFlag& text : kTexts) {
    if (text.name != flag) continue;
    wanted.*text.at = std::string(value);
    return {};
  }
  if (flag == "--device") {
    wanted.load.device = std::string(value);
    return {};
  }
  const auto number = parse_unsigned(value);
  if (!number) return fail(Code::kBadRequest, join({flag, " ", value, ": what is this?"}));
  if (flag == "--clients") {
    wanted.load.clients = *number;
  } else if (flag == "--operations") {
    wanted.load.operations = *number;
  } else if (flag == "--bytes") {
    wanted.bytes = *number;
  } else if (flag == "--pause-ms") {
    wanted.load.pause_ms = static_cast<int64_t>(*number);
  } else if (flag == "--server-pid") {
    wanted.load.server_pid = *number;
  } else {
    return fail(Code::kBadRequest, join({"unknown flag ", flag}));
  }
  return {};
}

Result<Measurement> measure(port_linux::Machine& machine, Wanted& wanted) {
  const Target target = TRY(read_kubeconfig(machine, wanted.kubeconfig));
  const std::string_view workload = wanted.workload;
  if (workload == "watch") return run_fan(machine, target, wanted.load);
  if (workload == "start-pods") return run_pod_starts(machine, target, wanted.load, wanted.image);
  constexpr std::string_view kLoops[] = {"create-pods", "create-configmaps", "get-pod",
                                         "list-configmaps", "put-etcd"};
  for (const std::string_view each : kLoops) {
    if (each != workload) continue;
    if (workload.starts_with("create")) wanted.load.expected_status = 201;
    Making making(wanted);
    Measurement measured = run_load(machine, target, wanted.load, making);
    if (workload != "list-configmaps") measured.first_bytes_us.clear();
    return measured;
  }
  return fail(Code::kBadRequest, join({"unknown workload ", workload}));
}

Result<int> run(const std::vector<std::string>& arguments) {
  Wanted wanted;
  if (arguments.size() % 2 != 0) return fail(Code::kBadRequest, "flags and values come in pairs");
  for (size_t i = 0; i < arguments.size(); i += 2)
    TRY(set_flag(wanted, arguments[i], arguments[i + 1]));
  if (wanted.load.clients == 0 || wanted.load.operations == 0)
    return fail(Code::kBadRequest, "--clients and --operations must be above 0");
  if (wanted.workload == "print-pod")
    return std::printf("%s\n", pod_text("read", wanted.bytes).c_str()) < 0 ? 1 : 0;
  port_linux::Machine machine;
  Measurement measured = TRY(measure(machine, wanted));
  measured.name = wanted.name.empty() ? wanted.workload : wanted.name;
  std::printf("%s\n", measured.json().c_str());
  return measured.failed == 0 ? 0 : 1;
}

}  // namespace

}  // namespace coracle::bench

int main(int count, char** arguments) {
  const auto code = coracle::bench::run({arguments + 1, arguments + count});
  if (code) return *code;
  std::fprintf(stderr, "coracle_bench: %s\n", code.error().message.c_str());
  return 2;
}
