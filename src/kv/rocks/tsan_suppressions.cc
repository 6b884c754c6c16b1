// Debian's RocksDB is not built with ThreadSanitizer, which sees its memory accesses where they go
// through memcpy, memcmp and delete, but not the atomics that order them, and reports races that
// are none. The anchors keep our own functions, which have rocksdb:: in their parameters, checked.
extern "C" const char* __tsan_default_suppressions();  // the runtime asks for it by this name

extern "C" const char* __tsan_default_suppressions() {
  return "race:^rocksdb::\n"
         "race:^non-virtual thunk to rocksdb::\n"
         // Its file name tables, reached through the standard library's code alone.
         "race:^std::_Hashtable<std::__cxx11::basic_string\n";
}
