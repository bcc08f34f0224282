#include "server/observe/metrics.h"

#include <algorithm>
#include <array>
#include <deque>
#include <mutex>

#include "reactor/base/check.h"

namespace server {
namespace {

bool is_metric_name(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

bool same_series(const MetricSample& left, const MetricSample& right) {
    return left.name == right.name && left.labels == right.labels;
}

void add_into(MetricSample& into, const MetricSample& other) {
    CHECK(into.kind == other.kind && into.bounds == other.bounds);
    into.value += other.value;
    into.sum += other.sum;
    for (std::size_t index = 0; index < into.counts.size(); ++index)
        into.counts[index] += other.counts[index];
}

}  // namespace

Histogram::Histogram(std::span<const double> bounds)
    : bounds_(bounds.begin(), bounds.end()), counts_(bounds.size() + 1) {
    CHECK(std::ranges::is_sorted(bounds_));
}

void Histogram::observe(double value) noexcept {
    const auto bucket = std::ranges::lower_bound(bounds_, value) - bounds_.begin();
    auto& count = counts_[static_cast<std::size_t>(bucket)];
    count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    sum_.store(sum_.load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
}

std::vector<std::uint64_t> Histogram::counts() const {
    std::vector<std::uint64_t> copy;
    copy.reserve(counts_.size());
    for (const auto& count : counts_)
        copy.push_back(count.load(std::memory_order_relaxed));
    return copy;
}

std::span<const double> latency_bounds() noexcept {
    static constexpr std::array kBounds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                           0.01,   0.025,   0.05,   0.1,   0.25,   0.5,
                                           1.0,    2.5,     5.0,    10.0};
    return kBounds;
}

// Metrics never move, since references to them are handed out: hence the deques. The lock guards
// registration against snapshots of other threads; recording does not take it.
struct Metrics::Impl {
    struct Entry {
        MetricSample identity;  // Name, help, kind, labels; the rest is filled in snapshots.
        std::size_t index = 0;  // In the deque of its kind.
    };

    template <class Metric, class... Arguments>
    Metric& get(std::deque<Metric>& of_kind, MetricSample identity, Arguments&&... arguments) {
        CHECK(is_metric_name(identity.name) && !identity.help.empty());
        const std::scoped_lock lock(mutex);
        for (const Entry& entry : entries) {
            if (entry.identity.name != identity.name) continue;
            CHECK(entry.identity.kind == identity.kind);
            if (entry.identity.labels == identity.labels) return of_kind[entry.index];
        }
        entries.push_back({std::move(identity), of_kind.size()});
        return of_kind.emplace_back(std::forward<Arguments>(arguments)...);
    }

    mutable std::mutex mutex;
    std::deque<Entry> entries;
    std::deque<Counter> counters;
    std::deque<Gauge> gauges;
    std::deque<Histogram> histograms;
};

namespace {

MetricSample identity(std::string_view name, std::string_view help, MetricKind kind,
                      MetricLabels labels) {
    MetricSample sample;
    sample.name = name;
    sample.help = help;
    sample.kind = kind;
    sample.labels = std::move(labels);
    return sample;
}

}  // namespace

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::counter(std::string_view name, std::string_view help, MetricLabels labels) {
    CHECK(name.ends_with("_total"));
    return impl_->get(impl_->counters,
                      identity(name, help, MetricKind::counter, std::move(labels)));
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, MetricLabels labels) {
    return impl_->get(impl_->gauges, identity(name, help, MetricKind::gauge, std::move(labels)));
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help,
                              std::span<const double> bounds, MetricLabels labels) {
    return impl_->get(impl_->histograms,
                      identity(name, help, MetricKind::histogram, std::move(labels)), bounds);
}

MetricsSnapshot Metrics::snapshot() const {
    const std::scoped_lock lock(impl_->mutex);
    MetricsSnapshot samples;
    samples.reserve(impl_->entries.size());
    for (const Impl::Entry& entry : impl_->entries) {
        MetricSample& sample = samples.emplace_back(entry.identity);
        switch (sample.kind) {
            case MetricKind::counter:
                sample.value = static_cast<std::int64_t>(impl_->counters[entry.index].value());
                break;
            case MetricKind::gauge:
                sample.value = impl_->gauges[entry.index].value();
                break;
            case MetricKind::histogram: {
                const Histogram& histogram = impl_->histograms[entry.index];
                sample.bounds.assign(histogram.bounds().begin(), histogram.bounds().end());
                sample.counts = histogram.counts();
                sample.sum = histogram.sum();
                break;
            }
        }
    }
    return samples;
}

Counter& MetricsScope::counter(std::string_view name, std::string_view help,
                               MetricLabels labels) const {
    return metrics_->counter(prefix_ + std::string(name), help, std::move(labels));
}

Gauge& MetricsScope::gauge(std::string_view name, std::string_view help,
                           MetricLabels labels) const {
    return metrics_->gauge(prefix_ + std::string(name), help, std::move(labels));
}

Histogram& MetricsScope::histogram(std::string_view name, std::string_view help,
                                   std::span<const double> bounds, MetricLabels labels) const {
    return metrics_->histogram(prefix_ + std::string(name), help, bounds, std::move(labels));
}

void merge(MetricsSnapshot& into, const MetricsSnapshot& other) {
    for (const MetricSample& sample : other) {
        const auto found = std::ranges::find_if(
            into, [&](const MetricSample& known) { return same_series(known, sample); });
        if (found == into.end())
            into.push_back(sample);
        else
            add_into(*found, sample);
    }
}

}  // namespace server
