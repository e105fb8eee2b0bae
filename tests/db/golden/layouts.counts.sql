SELECT asked.id,
  (SELECT count(*) AS count_1
FROM relaties.invoice_layout
WHERE relaties.invoice_layout.tenant_id = $1::UUID AND relaties.invoice_layout.tenant_id = asked.id) AS count
FROM unnest($2::UUID[]) AS asked(id)
