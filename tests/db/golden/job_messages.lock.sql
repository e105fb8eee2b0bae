SELECT relaties_queue.pgqueuer.id
FROM relaties_queue.pgqueuer
WHERE relaties_queue.pgqueuer.dedupe_key = CAST($1::UUID AS TEXT) AND relaties_queue.pgqueuer.id = $2::BIGINT AND relaties_queue.pgqueuer.queue_manager_id = $3::UUID FOR UPDATE
