SELECT sqlite_version(), user_version, page_count * page_size
FROM pragma_user_version, pragma_page_count, pragma_page_size;
