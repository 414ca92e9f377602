// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kinds/checks.h"
#include "api/kinds/pod_template.h"

namespace coracle::api {
namespace {

constexpr Field kExecActionFields[] = {
    list_of("command", 1, Type::kString)
        .about("Program and arguments; there is no shell around it."),
};
constexpr Message kExecAction{"io.k8s.api.core.v1.ExecAction", kExecActionFields,
                              "ExecAction runs a command in a container."};

constexpr Field kHTTPHeaderFields[] = {
    text("name", 1).required().about("Name of the header."),
    text("value", 2).listed().about("Value of the header."),
};
constexpr Message kHTTPHeader{"io.k8s.api.core.v1.HTTPHeader", kHTTPHeaderFields,
                              "HTTPHeader is a header of a request."};

constexpr Field kHTTPGetActionFields[] = {
    text("path", 1).otherwise("\"/\"").about("Path of the request."),
    int_or_string("port", 2).required().about("Number or name of the port."),
    text("host", 3).about("Host to ask; the Pod's address if absent."),
    text("scheme", 4).otherwise("\"HTTP\"").one_of("HTTP|HTTPS").about("HTTP or HTTPS."),
    list("httpHeaders", 5, kHTTPHeader).about("Headers to send."),
};
constexpr Message kHTTPGetAction{"io.k8s.api.core.v1.HTTPGetAction", kHTTPGetActionFields,
                                 "HTTPGetAction sends an HTTP GET request."};

constexpr Field kTCPSocketActionFields[] = {
    int_or_string("port", 1).required().about("Number or name of the port."),
    text("host", 2).about("Host to connect to; the Pod's address if absent."),
};
constexpr Message kTCPSocketAction{"io.k8s.api.core.v1.TCPSocketAction", kTCPSocketActionFields,
                                   "TCPSocketAction opens a TCP connection."};

constexpr Field kGRPCActionFields[] = {
    int32("port", 1).listed().must(is_port).about("Port number."),
    text("service", 2).otherwise("\"\"").about("Name of the service to ask about."),
};
constexpr Message kGRPCAction{"io.k8s.api.core.v1.GRPCAction", kGRPCActionFields,
                              "GRPCAction asks a gRPC health service."};

constexpr Field kSleepActionFields[] = {
    int64("seconds", 1).listed().about("How long to wait."),
};
constexpr Message kSleepAction{"io.k8s.api.core.v1.SleepAction", kSleepActionFields,
                               "SleepAction waits."};

constexpr Field kLifecycleHandlerFields[] = {
    object("exec", 1, kExecAction).about("Runs a command in the container."),
    object("httpGet", 2, kHTTPGetAction).about("Sends an HTTP request."),
    object("tcpSocket", 3, kTCPSocketAction).must(not_yet).about("Never done by any version."),
    object("sleep", 4, kSleepAction).about("Waits."),
};
constexpr Message kLifecycleHandler{"io.k8s.api.core.v1.LifecycleHandler", kLifecycleHandlerFields,
                                    "LifecycleHandler is one action; exactly one kind is set."};

constexpr Field kLifecycleFields[] = {
    object("postStart", 1, kLifecycleHandler)
        .about("Done right after the start of the container, which is not ready before."),
    object("preStop", 2, kLifecycleHandler)
        .about("Done before the container is stopped, within the grace period."),
    text("stopSignal", 3)
        .must(not_yet)
        .about("Signal to stop with instead of the image's; not supported by Coracle yet."),
};

constexpr Field kProbeFields[] = {
    object("exec", 1, kExecAction)
        .within(1)
        .about("Runs a command in the container; success if its exit code is 0."),
    object("httpGet", 2, kHTTPGetAction)
        .within(1)
        .about("Sends an HTTP request; a status of 200 to 399 is success."),
    object("tcpSocket", 3, kTCPSocketAction)
        .within(1)
        .about("Opens a TCP connection; success if it opens."),
    object("grpc", 4, kGRPCAction)
        .within(1)
        .about("Asks a gRPC health service; success if it says SERVING."),
    int32("initialDelaySeconds", 2)
        .or_zero()
        .must(not_negative)
        .about("Seconds after the start before the first check."),
    int32("timeoutSeconds", 3)
        .or_zero()
        .otherwise("1")
        .must(not_negative)
        .about("Seconds after which a check has failed."),
    int32("periodSeconds", 4)
        .or_zero()
        .otherwise("10")
        .must(not_negative)
        .about("Seconds between checks."),
    int32("successThreshold", 5)
        .or_zero()
        .otherwise("1")
        .must(not_negative)
        .about("Successes in a row after a failure that count as success."),
    int32("failureThreshold", 6)
        .or_zero()
        .otherwise("3")
        .must(not_negative)
        .about("Failures in a row that count as failure."),
    int64("terminationGracePeriodSeconds", 7)
        .about("Grace period if this check ends the container."),
};

}  // namespace

constinit const Message kLifecycle{
    "io.k8s.api.core.v1.Lifecycle", kLifecycleFields,
    "Lifecycle tells what happens after the start and before the stop of a container."};
constinit const Message kProbe{
    "io.k8s.api.core.v1.Probe", kProbeFields,
    "Probe is a check that is done again and again; exactly one kind of action is set."};

}  // namespace coracle::api
