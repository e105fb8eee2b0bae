SELECT relaties.audit_event.id AS id,
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
WHERE relaties.audit_event.tenant_id = $1::UUID AND relaties.audit_event.id = ANY ($2::UUID[])
