SELECT pg_advisory_xact_lock_shared(735823015,
  hashtext(CAST($1::UUID AS TEXT))) AS pg_advisory_xact_lock_shared_1
