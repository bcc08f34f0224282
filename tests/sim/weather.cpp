#include "tests/sim/weather.h"

#include <fmt/format.h>
#include <algorithm>
#include <chrono>

namespace sim {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kServer = "10.0.0.1";
/// A start that fails is tried again, as the system's service manager would.
constexpr base::Duration kStartAgain = 1s;
/// A crash finds the world in the middle of something: so many turns after a moment.
constexpr std::uint64_t kTurnsMax = 60;

const base::Errc kStorageErrors[] = {base::Errc::io_error, base::Errc::no_space, base::Errc::busy};

}  // namespace

Weather::Weather(Parts parts) : parts_(std::move(parts)), chance_(parts_.seed, kStream) {
    parts_.harness.faults().delay(parts_.storage_delay);
}

void Weather::note(const Fault& fault, std::string_view what) {
    parts_.journal.note("FAULT", fmt::format("{}: {}", name_of(fault.kind), what));
}

Phone& Weather::some_phone(const Fault& fault) {
    const auto& phones = parts_.crowd.phones();
    return *phones[fault.draw % phones.size()];
}

void Weather::later(base::Duration after, std::function<void()> call) {
    later_.emplace(parts_.harness.sim().now() + after, std::move(call));
}

bool Weather::advance_to(base::MonotonicTime time) {
    const base::MonotonicTime now = parts_.harness.sim().now();
    return time <= now || parts_.harness.sim().advance(time - now);
}

// A fault that takes virtual time itself (a restart) delays those behind it.
bool Weather::pass(const std::vector<Fault>& plan, base::Duration time) {
    const base::MonotonicTime start = parts_.harness.sim().now();
    for (const Fault& fault : plan)
        later_.emplace(start + fault.after, [this, fault] { strike(fault); });
    while (!later_.empty() && later_.begin()->first <= start + time) {
        auto first = later_.extract(later_.begin());
        if (!advance_to(first.key())) return false;
        first.mapped()();
    }
    return advance_to(start + time);
}

void Weather::strike(const Fault& fault) {
    switch (fault.kind) {
        case FaultKind::reset:
        case FaultKind::silence:
        case FaultKind::latency:
            return strike_network(fault);
        case FaultKind::write:
        case FaultKind::commit:
        case FaultKind::read:
        case FaultKind::slow_disk:
        case FaultKind::full_disk:
            return strike_storage(fault);
        case FaultKind::restart:
        case FaultKind::kill:
        case FaultKind::power:
            return strike_server(fault);
        case FaultKind::clock: {
            const base::Duration step = chance_.between(base::Duration(-2h), base::Duration(2h));
            note(fault, fmt::format("{} s", step / 1s));
            return parts_.harness.sim().clock().step_wall(step);
        }
    }
}

void Weather::strike_network(const Fault& fault) {
    reactor::SimInternet& internet = parts_.harness.internet();
    if (fault.kind == FaultKind::latency) {
        const base::Duration most = chance_.between(base::Duration(50ms), base::Duration(4s));
        note(fault, fmt::format("up to {} ms", most / 1ms));
        internet.set_latency(parts_.latency_min, most);
        return later(fault.lasts, [this, &internet] {
            internet.set_latency(parts_.latency_min, parts_.latency_max);
        });
    }
    Phone& phone = some_phone(fault);
    if (fault.kind == FaultKind::reset) {
        note(fault, phone.name());
        return phone.lose_connection();
    }
    // Now and then nobody reaches the server.
    const std::string address = fault.draw % 1000 < 100 ? std::string(kServer) : phone.address();
    note(fault, address);
    internet.black_hole(address);
    silent_.push_back(address);
    later(fault.lasts, [this, &internet, address] {
        internet.heal(address);
        std::erase(silent_, address);
    });
}

void Weather::strike_storage(const Fault& fault) {
    storage::Faults& faults = parts_.harness.faults();
    const bool by_disk = fault.draw % 2 == 0;
    const base::Errc error = kStorageErrors[chance_.below(std::size(kStorageErrors))];
    note(fault, by_disk ? "the disk" : "the database");
    if (fault.kind != FaultKind::slow_disk) parts_.messages.storage_failed();
    switch (fault.kind) {
        case FaultKind::write:
            return by_disk ? parts_.disk.fail_next_write() : faults.fail_next_write(error);
        case FaultKind::commit:
            return by_disk ? parts_.disk.fail_next_sync() : faults.fail_next_commit(error);
        case FaultKind::read:
            return faults.fail_next_read();
        case FaultKind::slow_disk:
            faults.delay(chance_.between(base::Duration(1ms), base::Duration(1500ms)));
            return later(fault.lasts, [this, &faults] { faults.delay(parts_.storage_delay); });
        default:
            break;
    }
    if (by_disk) {
        parts_.disk.set_capacity_bytes(parts_.disk.used_bytes() + chance_.below(20'000));
    } else {
        faults.disk_full(true);
    }
    parts_.messages.storage_fails();
    later(fault.lasts, [this, &faults] {
        parts_.disk.set_capacity_bytes(0);
        faults.disk_full(false);
        parts_.messages.storage_mended();
    });
}

void Weather::strike_server(const Fault& fault) {
    server::test::ServerHarness& harness = parts_.harness;
    if (!harness.running()) return;
    if (fault.kind == FaultKind::restart) {
        note(fault, "stops");
        parts_.messages.server_stopped();
        harness.stop();
    } else {
        std::uint64_t turns = chance_.below(kTurnsMax);
        harness.sim().run_until([&turns] { return turns-- == 0; }, 20ms);
        note(fault, "now");
        parts_.messages.server_crashed();
        parts_.journal.set_server_dies(true);
        fault.kind == FaultKind::kill ? harness.kill() : harness.power_off();
        parts_.journal.set_server_dies(false);
    }
    later(fault.lasts, [this] { start_again(); });
}

void Weather::start_again() {
    server::test::ServerHarness& harness = parts_.harness;
    try {
        harness.start_again();
        parts_.journal.note("FAULT", "the server runs again");
        parts_.messages.server_started();
        if (parts_.started) parts_.started();
    } catch (const server::test::ScriptFailure& failure) {
        parts_.journal.note("FAULT", fmt::format("no start: {}", failure.what()));
        parts_.messages.server_crashed();
        parts_.journal.set_server_dies(true);
        harness.kill();
        parts_.journal.set_server_dies(false);
        later(kStartAgain, [this] { start_again(); });
    }
}

void Weather::clear() {
    parts_.journal.note("FAULT", "none any more");
    for (const std::string& address : silent_)
        parts_.harness.internet().heal(address);
    silent_.clear();
    later_.clear();
    parts_.harness.internet().set_latency(parts_.latency_min, parts_.latency_max);
    parts_.harness.faults().mend();
    parts_.harness.faults().delay(parts_.storage_delay);
    parts_.disk.mend();
    parts_.messages.storage_mended();
    if (!parts_.harness.running()) start_again();
}

}  // namespace sim
