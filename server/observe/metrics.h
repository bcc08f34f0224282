// Metrics: counters, gauges and histograms of one shard. Recording is a relaxed load and store on
// the owning shard, no lock and no locked instruction; any thread may take a snapshot. Snapshots of
// all shards merge by name, and write themselves as OpenMetrics text.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace server {

/// Only grows. `add` on the owning shard only.
class Counter {
public:
    void add(std::uint64_t count = 1) noexcept {
        value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
    }
    std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_ = 0;
};

/// Goes up and down. Changed on the owning shard only; merging adds the shards up.
class Gauge {
public:
    void set(std::int64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
    void add(std::int64_t change = 1) noexcept { set(value() + change); }
    void subtract(std::int64_t change = 1) noexcept { set(value() - change); }
    std::int64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::int64_t> value_ = 0;
};

/// Counts observations per bucket. `observe` on the owning shard only.
class Histogram {
public:
    /// `bounds`: upper limits (inclusive) in ascending order; one more bucket takes the rest.
    explicit Histogram(std::span<const double> bounds);
    void observe(double value) noexcept;

    std::span<const double> bounds() const noexcept { return bounds_; }
    std::vector<std::uint64_t> counts() const;  ///< Per bucket, not cumulative.
    double sum() const noexcept { return sum_.load(std::memory_order_relaxed); }

private:
    std::vector<double> bounds_;
    std::vector<std::atomic<std::uint64_t>> counts_;
    std::atomic<double> sum_ = 0;
};

/// Bounds for times in seconds, 100 µs to 10 s.
std::span<const double> latency_bounds() noexcept;

enum class MetricKind : std::uint8_t { counter, gauge, histogram };

/// Label names and values ("condition" = "not-authorized"). Values come from fixed sets of the
/// code, never from a stranger: each one is a series for ever.
using MetricLabels = std::vector<std::pair<std::string, std::string>>;

struct MetricSample {
    std::string name;
    std::string help;
    MetricKind kind = MetricKind::counter;
    MetricLabels labels;
    std::int64_t value = 0;             ///< Of counters and gauges.
    std::vector<double> bounds;         ///< Of histograms.
    std::vector<std::uint64_t> counts;  ///< One more than bounds.
    double sum = 0;
};

/// In order of registration.
using MetricsSnapshot = std::vector<MetricSample>;

class Metrics {
public:
    Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;
    ~Metrics();

    /// The metric of that name and labels, made at the first call; the reference lives as long as
    /// this object. `name` is [a-z0-9_]; counters end in "_total". CHECKs that kind agrees.
    Counter& counter(std::string_view name, std::string_view help, MetricLabels labels = {});
    Gauge& gauge(std::string_view name, std::string_view help, MetricLabels labels = {});
    Histogram& histogram(std::string_view name, std::string_view help,
                         std::span<const double> bounds = latency_bounds(),
                         MetricLabels labels = {});

    /// From any thread. The values are each exact, but not of one instant.
    MetricsSnapshot snapshot() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Metrics under a prefix ("module_ping_"), for one module. Cheap to copy; `metrics` must outlive
/// it.
class MetricsScope {
public:
    MetricsScope(Metrics& metrics, std::string prefix)
        : metrics_(&metrics), prefix_(std::move(prefix)) {}

    Counter& counter(std::string_view name, std::string_view help, MetricLabels labels = {}) const;
    Gauge& gauge(std::string_view name, std::string_view help, MetricLabels labels = {}) const;
    Histogram& histogram(std::string_view name, std::string_view help,
                         std::span<const double> bounds = latency_bounds(),
                         MetricLabels labels = {}) const;

private:
    Metrics* metrics_;
    std::string prefix_;
};

/// Adds `other` into `into`: samples of the same name and labels are summed, new ones appended.
/// Histograms of different bounds under one name are a bug (CHECKed).
void merge(MetricsSnapshot& into, const MetricsSnapshot& other);

/// The OpenMetrics 1.0 text exposition, ending in "# EOF". Every family is prefixed "parley_".
std::string to_openmetrics(const MetricsSnapshot& snapshot);

}  // namespace server
