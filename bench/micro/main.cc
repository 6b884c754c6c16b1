// The main() of every micro-benchmark, and the loop they are measured against: bench/micro/check
// compares each with it, which takes out how fast and how busy the machine is.
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

namespace {

// A bit of each thing that makes up the code measured: a chain of arithmetic, copies that stay in
// the second-level cache, and small allocations.
void reference(benchmark::State& state) {
  const std::string source(32 << 10, 'x');
  std::string target(source.size(), '\0');
  std::uint64_t hash = 0xcbf29ce484222325;
  for (auto unused : state) {
    for (const char c : source)
      hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    for (int i = 0; i < 16; ++i) {
      std::memcpy(target.data(), source.data(), source.size());
      benchmark::DoNotOptimize(target.data());
      benchmark::ClobberMemory();
    }
    std::vector<std::string> texts;
    for (int i = 0; i < 256; ++i)
      texts.emplace_back(40 + i % 64, static_cast<char>(hash));
    benchmark::DoNotOptimize(texts.data());
  }
  benchmark::DoNotOptimize(hash);
}

BENCHMARK(reference);

}  // namespace

BENCHMARK_MAIN();
