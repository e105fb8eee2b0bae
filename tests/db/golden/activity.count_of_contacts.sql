SELECT asked.id,
  (SELECT count(*) AS count_1
FROM relaties.audit_event
WHERE relaties.audit_event.tenant_id = $1::UUID AND relaties.audit_event.contact_id = asked.id) AS count
FROM unnest($2::UUID[]) AS asked(id)
