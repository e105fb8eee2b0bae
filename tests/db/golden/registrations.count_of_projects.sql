SELECT asked.id,
  (SELECT count(*) AS count_1
FROM relaties.registration
WHERE relaties.registration.project_id = asked.id AND relaties.registration.tenant_id = $1::UUID AND relaties.registration.kind = $2::VARCHAR AND relaties.registration.status = $3::VARCHAR AND relaties.registration.is_billable = $4::BOOLEAN AND relaties.registration.registered_on >= $5::DATE AND relaties.registration.registered_on <= $6::DATE AND relaties.registration.member_id = $7::UUID) AS count
FROM unnest($8::UUID[]) AS asked(id)
