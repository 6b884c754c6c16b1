// Branches in the order of `name + "/"`, which is that of the keys below them: "a-b/" stands before
// "a/", although "a" stands before "a-b" in the store. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::s3gw {

/// Takes names in ascending order, hands them out in key order. Holds only names that are each a
/// prefix of the next.
class BranchOrder {
 public:
  /// Appends to `ready` what comes before `name`, then keeps `name`.
  void add(std::string name, std::vector<std::string>& ready);
  /// What is left, once all names were added.
  void finish(std::vector<std::string>& ready);

 private:
  std::vector<std::string> waiting_;
};

/// Names before `start`, any text, in the store's order that stand behind it in key order: its
/// prefixes that a character below '/' follows ("a-b-c" gives "a" and "a-b"), and the whole text.
std::vector<std::string> earlier_names(std::string_view start);

}  // namespace tarn::s3gw
