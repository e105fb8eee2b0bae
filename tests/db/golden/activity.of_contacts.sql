SELECT page.id,
  page.at,
  page.channel,
  page.member_id,
  page.operation,
  page.action,
  page.object_type,
  page.object_id,
  page.client_id,
  page.contact_id,
  page.changes
FROM unnest($1::UUID[]) AS asked(id) JOIN LATERAL (SELECT relaties.audit_event.id AS id,
  relaties.audit_event.at AS at,
  relaties.audit_event.channel AS channel,
  relaties.audit_event.member_id AS member_id,
  relaties.audit_event.operation AS operation,
  relaties.audit_event.action AS action,
  relaties.audit_event.object_type AS object_type,
  relaties.audit_event.object_id AS object_id,
  relaties.audit_event.client_id AS client_id,
  relaties.audit_event.contact_id AS contact_id,
  CAST(relaties.audit_event.changes AS TEXT) AS changes
FROM relaties.audit_event
WHERE relaties.audit_event.tenant_id = $2::UUID AND relaties.audit_event.contact_id = asked.id ORDER BY relaties.audit_event.id DESC,
  relaties.audit_event.id DESC
 LIMIT $3::INTEGER) AS page ON true ORDER BY asked.id,
  page.id DESC,
  page.id DESC
