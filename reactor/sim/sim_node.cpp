#include "reactor/sim/sim_node.h"

#include <utility>

namespace reactor {

SimNode::SimNode(SimWorld& sim, SimInternet& internet, std::string address, Main main)
    : sim_(sim),
      internet_(internet),
      address_(std::move(address)),
      main_(std::move(main)),
      number_(sim.add_node(
          1, [this](World& world) { return make_sim_network(world, internet_, address_); })) {}

SimNode::~SimNode() {
    end_program();
}

void SimNode::start() {
    if (running()) return;
    end_program();
    if (std::exchange(without_power_, false)) internet_.power_on(address_);
    ++starts_;
    sim_.on(world(), [this] { work_.emplace(main_(world())); });
}

void SimNode::kill() {
    end_program();
}

void SimNode::lose_power() {
    if (!std::exchange(without_power_, true)) internet_.power_off(address_);
    end_program();
}

std::optional<base::Result<void>> SimNode::take_result() {
    if (!work_ || !work_->settled()) return std::nullopt;
    std::optional<base::Result<void>> result = work_->take();
    work_.reset();
    return result;
}

void SimNode::end_program() {
    sim_.on(world(), [this] {
        work_.reset();
        world().reactor.ready_queue().drop_detached();
    });
}

}  // namespace reactor
