// A database for tests that answers at once: it runs the loop until the answer is there. Suites are
// parameterised over the engines: threads on a file, threads in memory, and both inline.
#pragma once

#include "reactor/base/result.h"
#include "reactor/deferred.h"
#include "reactor/reactor.h"
#include "reactor/real_world.h"
#include "storage/database.h"
#include "storage/faults.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace storage::test {

inline constexpr base::WallTime kNow{1'767'225'600'000'000};

using ::test::TemporaryFolder;

enum class Engine { file, memory, inline_file, inline_memory };

std::string name_of(const testing::TestParamInfo<Engine>& info);
inline auto every_engine() {
    return testing::Values(Engine::file, Engine::memory, Engine::inline_file,
                           Engine::inline_memory);
}

/// A reactor that runs until a Deferred has settled.
class Loop {
public:
    template <class Start>
    auto run(Start start) {
        using Deferred = std::invoke_result_t<Start&>;
        using Result = decltype(std::declval<Deferred&>().take());
        std::optional<Result> answer;
        {
            reactor::Reactor::Scope scope(reactor_);
            start()
                .both([&](Result result) {
                    answer = std::move(result);
                    reactor_.stop();
                })
                .detach("test");
        }
        reactor_.run();
        return *std::move(answer);
    }
    reactor::Reactor& reactor() { return reactor_; }

private:
    reactor::RealClock clock_;
    reactor::Reactor reactor_{clock_};
};

/// The schema of every store, in an engine of choice.
class TestDatabase {
public:
    explicit TestDatabase(Engine engine = Engine::file) : engine_(engine) { open(); }

    /// For changes of options: `database.close(); database.options.x = …; database.open();`
    void open();
    /// What is stored in memory is gone afterwards.
    void close() { database_.reset(); }

    Database& operator*() { return *database_; }
    Database* operator->() { return database_.get(); }

    template <class Function>
    auto write(Function function) {
        return loop.run([&] { return database_->write(std::move(function)); });
    }
    template <class Function>
    auto read(Function function) {
        return loop.run([&] { return database_->read(std::move(function)); });
    }
    /// Runs `function`, which must succeed, in a write; yields its value.
    template <class Function>
    auto must(Function function) {
        auto result = write(std::move(function));
        if (!result) ADD_FAILURE() << result.error().message();
        if constexpr (!std::is_void_v<typename decltype(result)::value_type>)
            return std::move(result).value();
    }

    bool on_file() const { return engine_ == Engine::file || engine_ == Engine::inline_file; }
    bool threaded() const { return engine_ == Engine::file || engine_ == Engine::memory; }

    TemporaryFolder folder;
    Faults faults;
    Loop loop;
    DatabaseOptions options;

private:
    Engine engine_;
    std::unique_ptr<Database> database_;
};

/// A suite per engine: TEST_P(SomeSuite, …) with `database`.
class EveryEngine : public testing::TestWithParam<Engine> {
protected:
    TestDatabase database{GetParam()};
};

}  // namespace storage::test
