#include "tests/storage/test_database.h"

#include "storage/tables/catalog.h"

#include <cstdlib>

namespace storage::test {

std::string name_of(const testing::TestParamInfo<Engine>& info) {
    switch (info.param) {
        case Engine::file:
            return "file";
        case Engine::memory:
            return "memory";
        case Engine::inline_file:
            return "inline_file";
        case Engine::inline_memory:
            break;
    }
    return "inline_memory";
}

void TestDatabase::open() {
    if (options.path.empty()) {
        options.path = on_file() ? folder.file("parley.db") : ":memory:";
        options.stores = all_stores();
        options.now = kNow;
        options.faults = &faults;
    }
    auto opened = threaded() ? open_database(options) : make_inline_database(options);
    if (!opened) {
        ADD_FAILURE() << opened.error().message();
        std::abort();
    }
    database_ = std::move(*opened);
}

}  // namespace storage::test
