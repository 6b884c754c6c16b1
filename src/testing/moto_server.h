// AWS's services as moto emulates them, in a process of its own.
#pragma once

#include <optional>
#include <string>

namespace tarn::testing {

/// "http://127.0.0.1:PORT" of one that the first call starts and that ends with this process;
/// nullopt where none is installed. Its S3 takes parts of any size.
std::optional<std::string> moto_url();

}  // namespace tarn::testing
