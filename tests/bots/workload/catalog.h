// The workloads that there are. Each lives in a file of its own and describes itself.
#pragma once

#include "tests/bots/workload/workload.h"

#include <span>
#include <string_view>

namespace bots {

/// In the order in which they are listed.
std::span<const WorkloadSpec> workload_catalog();
/// Null when there is none of that name.
const WorkloadSpec* find_workload(std::string_view name);

// One per file; called by the catalog.
WorkloadSpec describe_idle();
WorkloadSpec describe_login();
WorkloadSpec describe_chat();
WorkloadSpec describe_presence();
WorkloadSpec describe_offline();
WorkloadSpec describe_churn();
WorkloadSpec describe_iq();
WorkloadSpec describe_mixed();
WorkloadSpec describe_resume();
WorkloadSpec describe_muc();

}  // namespace bots
