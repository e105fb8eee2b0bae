SELECT asked.id,
  (SELECT count(*) AS count_1
FROM relaties.vat_rate
WHERE relaties.vat_rate.tenant_id = $1::UUID AND relaties.vat_rate.tenant_id = asked.id) AS count
FROM unnest($2::UUID[]) AS asked(id)
