// The main() of every test binary: GoogleTest's, but a run that executes no test at all fails, so
// that a mistyped filter or a dropped source file cannot pass as green.
#include <gtest/gtest.h>

#include <cstdio>

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    if (testing::GTEST_FLAG(list_tests)) return RUN_ALL_TESTS();
    const int result = RUN_ALL_TESTS();
    if (testing::UnitTest::GetInstance()->test_to_run_count() == 0) {
        std::fputs("no test ran: this binary must hold at least one\n", stderr);
        return 3;
    }
    return result;
}
