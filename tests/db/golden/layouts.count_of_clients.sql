SELECT asked.id,
  (SELECT count(*) AS count_1
FROM relaties.client
WHERE relaties.client.tenant_id = $1::UUID AND relaties.client.invoice_layout_id = asked.id) AS count
FROM unnest($2::UUID[]) AS asked(id)
