// parley-bots: a load harness for any XMPP server. What there is to it: tests/bots/README.md.
#include "tests/bots/run/command_line.h"

int main(int argc, char** argv) {
    return bots::command_line(argc, argv);
}
