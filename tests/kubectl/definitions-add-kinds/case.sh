# SPDX-License-Identifier: GPL-2.0-or-later
cat <<'Y' | k apply -f -
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boats.sea.example.com}
spec:
  group: sea.example.com
  scope: Namespaced
  names: {plural: boats, singular: boat, kind: Boat, shortNames: [bt]}
  versions:
  - name: v1
    served: true
    storage: true
    additionalPrinterColumns:
    - {name: Seats, type: integer, jsonPath: .spec.seats}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
    subresources: {status: {}, scale: {specReplicasPath: .spec.seats, statusReplicasPath: .status.seats}}
    schema:
      openAPIV3Schema:
        type: object
        description: Boat carries people over water.
        properties:
          spec:
            type: object
            required: [seats]
            properties:
              seats: {type: integer, minimum: 1, description: How many people fit.}
              color: {type: string, default: red, enum: [red, blue]}
          status:
            type: object
            properties: {seats: {type: integer}}
Y
k wait --for=condition=Established crd/boats.sea.example.com --timeout=10s
contains discovered "$(k api-resources --api-group=sea.example.com)" boats
cat <<'Y' > "$WORK/boat.yaml"
apiVersion: sea.example.com/v1
kind: Boat
metadata: {name: one}
spec: {seats: 2}
Y
kn apply -f "$WORK/boat.yaml"
contains columns "$(kn get bt)" SEATS
equal default "$(kn get boat one -o 'jsonpath={.spec.color}')" red
kn patch boat one --type=merge -p '{"spec":{"color":"blue"}}'
kn scale boat one --replicas=3
equal scaled "$(kn get boat one -o 'jsonpath={.spec.seats}')" 3
refuses "Unsupported value" kn patch boat one --type=merge -p '{"spec":{"color":"green"}}'
sed 's/seats: 2/seats: 2, sails: 1/' "$WORK/boat.yaml" > "$WORK/sails.yaml"
refuses 'unknown field "spec.sails"' kn apply -f "$WORK/sails.yaml"
contains explained "$(k explain boat.spec)" seats
contains described "$(kn describe boat one)" Seats
kn apply --server-side --force-conflicts -f "$WORK/boat.yaml"
kn label boat one a=b
kn get boats -l a=b -o name | grep -q boat
k delete crd boats.sea.example.com --timeout=30s
refuses NotFound k get --raw "/apis/sea.example.com/v1/namespaces/$NS/boats"
