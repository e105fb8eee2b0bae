SELECT asked.id,
  (SELECT count(*) AS count_1
FROM relaties.invoice
WHERE relaties.invoice.tenant_id = $1::UUID AND relaties.invoice.client_id = asked.id) AS count
FROM unnest($2::UUID[]) AS asked(id)
