import { arnAt } from '../../../aws/arn.ts';
import { classify, Permanent } from '../../../aws/errors.ts';
import { type Door, verb } from '../../../aws/verb.ts';
import type { Application, Place, Resource } from '../../../domain.ts';
import { type Cluster, connect, connecting } from '../../../kubernetes/client.ts';
import { listAt, newestRevision } from '../../../kubernetes/list.ts';
import { type Captured, CLAIMS, NAMESPACES, pathOf, read, VOLUMES } from '../../../kubernetes/object.ts';
import { fileSystemIn, isEbs } from '../../../kubernetes/volumes.ts';
import { allAnswered } from '../../items.ts';
import type { Discovery } from '../../kind.ts';
import { scoping, taggedArns, tagMap } from '../../scope.ts';
import { boundClaims } from './capture.ts';
import { findDisks, lookingAtDisks } from './disks.ts';
import { asFacts, type BoundClaim, KIND, namespaceId, plannedFactsOf } from './namespace.ts';

const looking = { ...connecting, ...lookingAtDisks, ...scoping };

/**
 * The namespaces that the application names. A claim on an EBS volume that is no member of the application is a refusal, for the
 * application would come back without what it kept there; other volumes that are no members, or that nothing protects yet, are told.
 */
export const discover = verb(looking, async (aws, application: Application, scene): Promise<Discovery> => {
  const { cluster: name, namespaces } = application;
  if (name === undefined || namespaces.length === 0) return { resources: [], notes: [], refusals: [] };
  try {
    const cluster = await connect(aws, name, scene);
    const found = await allAnswered(namespaces.map((namespace) => look(cluster, namespace, scene.here)));
    const claims = found.flatMap(({ claims }) => claims);
    const isMember = await membersAmong(aws, application, claims);
    return {
      resources: found.flatMap(({ resource, claims }) => (resource ? [withMembers(resource, claims, isMember)] : [])),
      notes: claims
        .filter(({ claim }) => !isEbs(claim) && !isMember(claim))
        .map(({ namespace, claim }) => unprotected(namespace, claim)),
      refusals: [...found.flatMap(({ refusal }) => refusal ?? []), ...(await uncovered(aws, application, scene.here, claims))],
    };
  } catch (error) {
    const classified = classify(error);
    if (!(classified instanceof Permanent)) throw classified;
    return { resources: [], notes: [], refusals: [classified.message] };
  }
});

interface Claim {
  readonly namespace: string;
  readonly claim: BoundClaim;
}

interface Found {
  readonly resource?: Resource;
  readonly refusal?: string;
  readonly claims: readonly Claim[];
}

async function look(cluster: Cluster, namespace: string, place: Place): Promise<Found> {
  const reply = await cluster.find(pathOf(NAMESPACES, undefined, namespace));
  if (!reply) {
    const refusal = `There is no namespace ${namespace} in cluster ${cluster.name}; create it, or take it out of the application's namespaces.`;
    return { refusal, claims: [] };
  }
  const { uid = '', creationTimestamp = '' } = read(reply.text).metadata ?? {};
  const volumes = boundClaims(await claimsAndVolumes(cluster, namespace));
  const resource: Resource = {
    kind: KIND,
    id: namespaceId(cluster.arn, namespace),
    name: namespace,
    createdAt: new Date(creationTimestamp).toISOString(),
    place,
    facts: asFacts({ uid, volumes, members: [] }),
  };
  return { resource, claims: volumes.map((claim) => ({ namespace, claim })) };
}

async function claimsAndVolumes(cluster: Cluster, namespace: string): Promise<Captured[]> {
  const revision = await newestRevision(cluster, NAMESPACES);
  const lists = await allAnswered([listAt(cluster, CLAIMS, revision, { namespace }), listAt(cluster, VOLUMES, revision)]);
  return lists.flatMap((listed) => listed?.objects ?? []);
}

const unprotected = (namespace: string, { claim, driver, handle }: BoundClaim): string =>
  `What claim ${namespace}/${claim} keeps on ${[driver, handle].filter(Boolean).join(' ')} is not protected: restored, the claim is empty. Keep it on EBS or on a file system of EFS that is among the application's resources, or protect it by other means.`;

/** Drivers whose volumes lie on resources that are protected by a kind of their own, and the type of those in the tagging API. */
const TYPES: Readonly<Record<string, string>> = { 'efs.csi.aws.com': 'elasticfilesystem:file-system' };

/** Which claims are on a resource of the application, by its tags or ARNs, so that it comes back with it. */
async function membersAmong(
  aws: Door<typeof looking>,
  application: Application,
  claims: readonly Claim[],
): Promise<(claim: BoundClaim) => boolean> {
  const types = new Set(claims.flatMap(({ claim }) => TYPES[claim.driver] ?? []));
  const tagged = await allAnswered([...types].map((type) => taggedArns(aws, application, type)));
  const ids = new Set([...tagged.flat(), ...application.resources.arns].map((arn) => arn.slice(arn.lastIndexOf('/') + 1)));
  return (claim) => TYPES[claim.driver] !== undefined && ids.has(fileSystemIn(claim));
}

const withMembers = (resource: Resource, claims: readonly Claim[], isMember: (claim: BoundClaim) => boolean): Resource => {
  const members = claims.flatMap(({ claim }) => (isMember(claim) ? [fileSystemIn(claim)] : []));
  return { ...resource, facts: asFacts({ ...plannedFactsOf(resource), members: [...new Set(members)] }) };
};

async function uncovered(
  aws: Door<typeof looking>,
  { name, resources: { tags, arns } }: Application,
  place: Place,
  claims: readonly Claim[],
): Promise<string[]> {
  const onEbs = claims.filter(({ claim }) => isEbs(claim) && !arns.includes(arnAt(place, 'ec2', `volume/${claim.handle}`)));
  const disks = await findDisks(aws, [...new Set(onEbs.map(({ claim }) => claim.handle))]);
  const wanted = Object.entries(tags);
  const isCovered = ({ claim }: Claim) => {
    const has = tagMap(disks.get(claim.handle)?.Tags);
    return wanted.length > 0 && wanted.every(([key, value]) => has.get(key) === value);
  };
  return onEbs
    .filter((claim) => !isCovered(claim))
    .map(
      ({ namespace, claim: { claim, handle } }) =>
        `Claim ${namespace}/${claim} is on ${handle}, which is not among the resources of "${name}", so the application would come back without it: give the volume the application's tags, or name its ARN under applications.${name}.resources.arns.`,
    );
}
