import { beforeEach, describe, expect, test } from 'vitest';
import { instant } from '../../functions/aws/clock.ts';
import { open, verb } from '../../functions/aws/verb.ts';
import type { Artifact, Cut, Item, Resource } from '../../functions/domain.ts';
import { copyTag, holdFacts } from '../../functions/kinds/application/ecr-image/image.ts';
import kind from '../../functions/kinds/application/ecr-image/index.ts';
import { copyLayer, layerCopying, type Upload } from '../../functions/kinds/application/ecr-image/layers.ts';
import { reaching } from '../../functions/kinds/application/ecr-image/lifecycle.ts';
import proof from '../../functions/kinds/application/ecr-image/proof.ts';
import namespaces from '../../functions/kinds/application/eks-namespace/index.ts';
import { LAWS } from '../../functions/kinds/application/laws-cluster.ts';
import type { Discovery, RestoreWork } from '../../functions/kinds/kind.ts';
import { driveItems, driven } from '../../functions/kinds/laws/drive.ts';
import {
  captured,
  captureWorks,
  copied,
  copyWorks,
  expired,
  mutated,
  newCut,
  restored,
  restoreWorks,
  type Subject,
  seeded,
  withArtifacts,
} from '../../functions/kinds/laws/motions.ts';
import { connect, connecting } from '../../functions/kubernetes/client.ts';
import { read } from '../../functions/kubernetes/object.ts';
import { DATA_KEY, sha256 } from '../../functions/vault/layout.ts';
import type { EcrState } from '../../local/services/ecr/state.ts';
import { silenceAfter } from '../../local/world/faults.ts';
import { stage, type TestStage } from '../stage.ts';

/** What is peculiar to images; what they have in common with every kind, the laws hold it to. */
let at: TestStage;
let subject: Subject;

async function begin(sdk = false): Promise<void> {
  at = await stage({ seed: 'images', sdk });
  subject = await at.settle(seeded(kind, proof, at));
}
beforeEach(() => begin());

const home = () => at.home.place;
const west = () => at.vault.place;
const call = (operation: string, input: object, place = home()) =>
  at.settle(at.world.call({ place, service: 'ecr', operation, input }));
const pass = (seconds: number) => at.settle(at.clock.sleep(seconds * 1000));
const days = (count: number) => pass(count * 86_400);
const web = (): Resource => subject.resources.find(({ name }) => name.endsWith('/web'))!;
const worker = (): Resource => subject.resources.find(({ name }) => name.endsWith('/worker'))!;
const only = (resource: Resource): Subject => ({ ...subject, resources: [resource] });
const discover = (): Promise<Discovery> =>
  at.settle(open(kind.discover, at.transport, at.clock, { here: home(), home: home() })(subject.application));
const capture = (of = subject) => at.settle(captured(of));
const failures = (items: readonly Item<unknown>[]) => items.flatMap((item) => (item.state === 'failed' ? [item.why] : []));
const heldBy = ({ facts }: Artifact) => holdFacts({ facts } as Artifact).images.map(({ digest }) => digest);

/** Every image of a repository, with its tags. */
async function images(repositoryName: string, place = home()): Promise<Map<string, string[]>> {
  const { imageDetails } = await call('DescribeImages', { repositoryName }, place);
  return new Map(imageDetails.map(({ imageDigest, imageTags = [] }: any) => [imageDigest, imageTags]));
}

/** Asks the cluster at home. */
const cluster = (method: 'POST' | 'PATCH' | 'GET', path: string, body?: object): Promise<string> => {
  const reach = verb(connecting, async (aws, _: undefined, scene) => {
    const patch = method === 'PATCH' ? { contentType: 'application/merge-patch+json' } : {};
    const asked = { method, path, ...patch, ...(body ? { body: JSON.stringify(body) } : {}) };
    const reply = await (await connect(aws, LAWS, scene)).ask(asked);
    if (reply.status >= 400) throw new Error(`${path}: ${reply.text}`);
    return reply.text;
  });
  return at.settle(open(reach, at.transport, at.clock, { here: home(), home: home() })(undefined));
};
const namespace = () => subject.application.namespaces[0]!;
const runPod = (name: string, image: string) =>
  cluster('POST', `/api/v1/namespaces/${namespace()}/pods`, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [{ name: 'one', image }] },
  });
const host = (place = home()) => `${place.account}.dkr.ecr.${place.region}.amazonaws.com`;
const lifecycle = (repositoryName: string, rules: object[], place = home()) =>
  call('PutLifecyclePolicy', { repositoryName, lifecyclePolicyText: JSON.stringify({ rules }) }, place);
const rule = (rulePriority: number, selection: object) => ({ rulePriority, selection, action: { type: 'expire' } });
const anyBeyond = (count: number) => ({ tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: count });
const oldUntagged = { tagStatus: 'untagged', countType: 'sinceImagePushed', countUnit: 'days', countNumber: 1 };
const uploadsAt = (region: string) =>
  at.world.journal.count(({ operation, place }) => operation === 'UploadLayerPart' && place.region === region);
const replicateToWest = () =>
  call('PutReplicationConfiguration', {
    replicationConfiguration: { rules: [{ destinations: [{ region: west().region, registryId: west().account }] }] },
  });

describe('discovery', () => {
  test('refuses an image that ran and was deleted from its registry', async () => {
    await call('BatchDeleteImage', { repositoryName: web().name, imageIds: [{ imageTag: 'stable' }] });
    const { refusals, resources } = await discover();
    expect(refusals).toEqual([
      expect.stringMatching(/^The image .*\/web:stable \(sha256:.*\) that Pods run is not in its registry.*push it again/),
    ]);
    expect(resources.map(({ id }) => id)).toEqual([worker().id]);
  });

  test('says which images lie in other registries and are not in the point', async () => {
    await runPod('shared', `999988887777.dkr.ecr.us-east-1.amazonaws.com/base:1`);
    await runPod('far', `${host(west())}/far@sha256:${'0'.repeat(64)}`);
    await runPod('public', 'nginx:1.27');
    const { notes, refusals, resources } = await discover();
    expect([refusals, resources.length]).toEqual([[], 2]);
    expect(notes).toEqual([
      expect.stringMatching(
        /^The image 111122223333\.dkr\.ecr\.eu-west-1.* is not in this restore point: .* another account or region; push it to 111122223333\.dkr\.ecr\.us-east-1/,
      ),
      expect.stringMatching(/^The image 999988887777\.dkr\.ecr\.us-east-1.* is not in this restore point/),
      expect.stringMatching(/^Not in this restore point, .*: nginx:1\.27\.$/),
    ]);
  });

  test('finds what templates name although nothing runs it, and says which of it does not exist', async () => {
    const repositoryName = `${namespace()}/nightly`;
    await call('CreateRepository', { repositoryName });
    await call('PutImage', { repositoryName, imageManifest: '{"nightly":1}', imageTag: 'v7' });
    const container = (name: string, image: string) => ({ name, image: `${host()}/${repositoryName}:${image}` });
    await cluster('POST', `/apis/batch/v1/namespaces/${namespace()}/cronjobs`, {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'nightly' },
      spec: {
        schedule: '0 0 1 1 *',
        jobTemplate: {
          spec: { template: { spec: { restartPolicy: 'Never', containers: [container('a', 'v7'), container('b', 'none')] } } },
        },
      },
    });
    const { notes, refusals, resources } = await discover();
    const nightly = resources.find(({ name }) => name === repositoryName)!;
    expect(nightly.facts['images']).toEqual([{ digest: `sha256:${sha256('{"nightly":1}')}`, names: ['v7'] }]);
    expect(notes).toEqual([expect.stringMatching(/A template names the image .*nightly:none, which is not in its registry/)]);
    expect(refusals).toEqual([]);
  });

  test('refuses a lifecycle policy that a tag does not hold against, and the rule that it asks for helps', async () => {
    await lifecycle(web().name, [rule(1, oldUntagged), rule(2, anyBeyond(30))]);
    const [refusal = ''] = (await discover()).refusals;
    expect(refusal).toMatch(
      /^Rule 2 of the lifecycle policy of repository .*\/web can take away images that a restore point needs; put a rule before it/,
    );
    const asked = JSON.parse(/\{"rulePriority".*"expire"\}\}/.exec(refusal)![0]);
    await lifecycle(web().name, [asked, rule(1, oldUntagged), rule(3, anyBeyond(1))]);
    expect((await discover()).refusals).toEqual([]);
  });

  test.each([
    ['untagged images', ['v1'], rule(1, oldUntagged), undefined],
    ['any image', ['v1'], rule(1, anyBeyond(9)), 1],
    ['images by one of their tags', ['v1', 'stable'], rule(4, { tagStatus: 'tagged', tagPrefixList: ['v'] }), 4],
    ['images by all of several tags', ['v1'], rule(4, { tagStatus: 'tagged', tagPrefixList: ['v', 'rc'] }), undefined],
    ['images by a pattern', ['release-1-ok'], rule(5, { tagStatus: 'tagged', tagPatternList: ['release-*-ok'] }), 5],
    ['images of other tags', ['v1'], rule(5, { tagStatus: 'tagged', tagPatternList: ['dev*', '*1*'] }), undefined],
    [
      'even our own',
      [],
      rule(6, { tagStatus: 'tagged', tagPrefixList: ['stillpoint'], countType: 'imageCountMoreThan', countNumber: 3 }),
      6,
    ],
  ])('a rule for %s', (_, tags, one, reached) => {
    expect(reaching(JSON.stringify({ rules: [one] }), tags)?.rulePriority).toBe(reached);
  });
});

describe('capture', () => {
  const cutNow = (): Cut => ({ ...newCut(at), instant: instant(Math.floor(at.clock.now() / 1000) * 1000) });
  const items = async (of: Subject, cut = cutNow()) => {
    await pass(2);
    return at.settle(driveItems(kind.capture, captureWorks(of, cut), at, home(), at.transport));
  };

  test('puts a tag that names the point on what runs, and asks for no freeze to believe it', async () => {
    const { artifacts } = await capture();
    const artifact = artifacts.find(({ resource }) => resource === web().id)!;
    const [digest, tags] = [...(await images(web().name))][0]!;
    expect(heldBy(artifact)).toEqual([digest]);
    expect(tags).toEqual(['stable', expect.stringMatching(/^stillpoint-20261122T040000Z-law-1-[0-9a-f]{16}$/)]);
    expect(artifact).toMatchObject({ endurance: 'durable', unchanging: true });
  });

  test('holds what a release since the plan runs beside what ran before, if it ran at the instant', async () => {
    await at.settle(mutated(only(web())));
    await pass(5);
    const [item] = await items(only(web()));
    const both = [...(await images(web().name)).keys()].sort();
    expect(both).toHaveLength(2);
    expect(item?.state === 'done' && heldBy(item.result)).toEqual(both);
  });

  test('does not count what was released after the instant', async () => {
    const [before] = [...(await images(web().name)).keys()];
    const cut = cutNow();
    await pass(2);
    await at.settle(mutated(only(web())));
    const [item] = await items(only(web()), cut);
    expect(item?.state === 'done' && heldBy(item.result)).toEqual([before]);
  });

  test('fails when an image was deleted since the plan, and only what is of its repository', async () => {
    await call('BatchDeleteImage', { repositoryName: web().name, imageIds: [{ imageTag: 'stable' }] });
    const answers = await items(subject);
    expect(answers.map(({ state }) => state).sort()).toEqual(['done', 'failed']);
    expect(failures(answers)).toEqual([
      expect.stringMatching(/\/web.* that Pods run is not in its registry any more, so no Pod could start from it again; /),
    ]);
  });

  test('fails when something runs from a repository that the plan does not hold', async () => {
    const repositoryName = `${namespace()}/late`;
    await call('CreateRepository', { repositoryName });
    await call('PutImage', { repositoryName, imageManifest: '{"late":1}', imageTag: 'v1' });
    await runPod('late', `${host()}/${repositoryName}:v1`);
    await pass(60);
    expect(failures(await items(only(web())))).toEqual([
      expect.stringMatching(/something runs from repository .*\/late, .* the next attempt plans anew\.$/),
    ]);
  });

  test('holds against a lifecycle rule for untagged images for as long as the point does', async () => {
    await lifecycle(web().name, [rule(1, oldUntagged)]);
    const { artifacts } = await capture(only(web()));
    const [held] = heldBy(artifacts[0]!);
    await at.settle(mutated(only(web())));
    await days(40);
    expect([...(await images(web().name)).keys()]).toContain(held);
    expect(await at.settle(expired(subject, home(), withArtifacts(artifacts)))).toMatchObject([{ gone: true }]);
    expect((await images(web().name)).get(held!)).toEqual([]);
    await days(3);
    expect([...(await images(web().name)).keys()]).not.toContain(held);
  });
});

describe('what is held at home', () => {
  test('is let go without being deleted, though ECR deletes an image with its last tag', async () => {
    const { artifacts } = await capture();
    await at.settle(mutated(subject));
    const held = artifacts.flatMap(heldBy);
    await at.settle(expired(subject, home(), withArtifacts(artifacts)));
    const left = new Map([...(await images(web().name)), ...(await images(worker().name))]);
    for (const digest of held) expect(left.get(digest)).toEqual([]);
    expect([...left.values()].flat()).toEqual(['stable', 'stable']);
  });

  test('in a repository with immutable tags is held and let go like any other, unless our tag is its last', async () => {
    await call('PutImageTagMutability', { repositoryName: web().name, imageTagMutability: 'IMMUTABLE' });
    const { artifacts } = await capture(only(web()));
    const again = await capture(only(web()));
    expect(await at.settle(expired(subject, home(), withArtifacts(artifacts)))).toMatchObject([{ gone: true }]);
    await call('BatchDeleteImage', { repositoryName: web().name, imageIds: [{ imageTag: 'stable' }] });
    const [answer] = await at.settle(expired(subject, home(), withArtifacts(again.artifacts)));
    expect(answer?.why).toMatch(
      /^stillpoint-.* is the last tag of .*\/web@sha256:.*, and the repository's tags are immutable: ECR would delete the image with it\. Give the image another tag, or delete it\.$/,
    );
    expect((await images(web().name)).size).toBe(1);
  });
});

describe('copy', () => {
  const copyNow = async (of = subject) => {
    const { artifacts, cut } = await capture(of);
    return { artifacts, cut, copies: await at.settle(copied(of, cut, artifacts)) };
  };

  test('brings every byte, an index with what it lists, and expires to nothing', async () => {
    const { copies } = await copyNow();
    const there = await images(worker().name, west());
    expect(there.size).toBe(3);
    for (const [digest, tags] of there) expect(tags).toContain(copyTag(digest));
    expect(await at.settle(expired(subject, west(), withArtifacts(copies)))).toMatchObject([{ gone: true }, { gone: true }]);
    for (const { name } of subject.resources) expect((await images(name, west())).size).toBe(0);
  });

  test('stays, when it expires, where somebody else has tagged it', async () => {
    const { copies } = await copyNow(only(web()));
    const repositoryName = web().name;
    const [digest] = heldBy(copies[0]!);
    const { images: found } = await call('BatchGetImage', { repositoryName, imageIds: [{ imageDigest: digest }] }, west());
    await call('PutImage', { repositoryName, imageManifest: found[0].imageManifest, imageTag: 'theirs' }, west());
    await at.settle(expired(subject, west(), withArtifacts(copies)));
    expect((await images(repositoryName, west())).get(digest!)).toContain('theirs');
  });

  test('is left to ECR where it replicates, and what ECR brought is not ours to delete', async () => {
    await replicateToWest();
    await at.settle(mutated(subject)); // what was pushed before the rule is not replicated
    subject = { ...subject, resources: (await discover()).resources };
    const { copies } = await copyNow();
    expect(uploadsAt(west().region)).toBe(0);
    const [digest] = heldBy(copies.find(({ resource }) => resource === web().id)!);
    await at.settle(at.clock.sleep(3_600_000)); // home's tag may come later than the image, which was pushed before
    const before = (await images(web().name, west())).get(digest!)!;
    expect(before.filter((tag) => tag.startsWith('stillpoint-'))).toHaveLength(2); // the vault's own, and home's that came along
    await at.settle(expired(subject, west(), withArtifacts(copies)));
    expect((await images(web().name, west())).get(digest!)).toEqual(['stable']);
  });

  test('waits half an hour for a replication that does not end, and then copies by itself', async () => {
    const { artifacts, cut } = await capture(only(web()));
    const registry = at.world.state<EcrState>('ecr', home());
    for (const image of registry.repositories.get(web().name)!.images.values())
      image.replicas.set(`${west().account}/${west().region}`, 'IN_PROGRESS');
    const from = at.clock.now();
    await at.settle(copied(only(web()), cut, artifacts));
    expect(at.clock.now() - from).toBeGreaterThan(30 * 60_000);
    expect(uploadsAt(west().region)).toBeGreaterThan(0);
  });

  test('fails with a sentence when the image is gone from home', async () => {
    const { artifacts, cut } = await capture(only(web()));
    await call('DeleteRepository', { repositoryName: web().name, force: true });
    const works = copyWorks(only(web()), cut, artifacts);
    const answers = await at.settle(driveItems(kind.copy, works, at, west(), at.transport));
    expect(failures(answers)).toEqual([
      expect.stringMatching(
        /The image .*\/web@sha256:.* is gone from home's registry and never came to eu-west-1; take a new restore point\.$/,
      ),
    ]);
  });

  test('fails with a sentence where the vault’s own repository would take it away again', async () => {
    const { artifacts, cut } = await capture(only(web()));
    await call('CreateRepository', { repositoryName: web().name }, west());
    await lifecycle(web().name, [rule(1, anyBeyond(1))], west());
    const works = copyWorks(only(web()), cut, artifacts);
    const answers = await at.settle(driveItems(kind.copy, works, at, west(), at.transport));
    expect(failures(answers)).toEqual([
      expect.stringMatching(/Rule 1 of the lifecycle policy of repository .*\/web can take away/),
    ]);
  });

  test('makes the repository as home’s is, under the vault’s key where home’s is under one', async () => {
    const repositoryName = `${namespace()}/sealed`;
    const encryptionConfiguration = { encryptionType: 'KMS', kmsKey: 'alias/shop' };
    await call('CreateRepository', { repositoryName, imageTagMutability: 'IMMUTABLE', encryptionConfiguration });
    await call('PutImage', { repositoryName, imageManifest: '{"sealed":1}', imageTag: 'v1' });
    await runPod('sealed', `${host()}/${repositoryName}:v1`);
    await pass(60);
    subject = { ...subject, resources: (await discover()).resources.filter(({ name }) => name === repositoryName) };
    const { copies } = await copyNow();
    const { repositories } = await call('DescribeRepositories', { repositoryNames: [repositoryName] }, west());
    expect(repositories).toMatchObject([
      { imageTagMutability: 'IMMUTABLE', encryptionConfiguration: { encryptionType: 'KMS', kmsKey: DATA_KEY } },
    ]);
    expect(await at.settle(expired(subject, west(), withArtifacts(copies)))).toMatchObject([{ gone: true }]);
    expect((await images(repositoryName, west())).size).toBe(0);
  });
});

describe('a large layer', () => {
  const LAYER = new Uint8Array(21 * 2 ** 20).map((_, i) => (i * 7) % 253);
  const digest = `sha256:${sha256(LAYER)}`;
  const copying = (enough: () => boolean, before?: Upload) =>
    at.settle(
      open(
        verb(layerCopying, (aws, _: undefined, scene) =>
          copyLayer(aws, scene, web().name, { digest, size: LAYER.length }, before, enough),
        ),
        at.transport,
        at.clock,
        { here: west(), home: home() },
      )(undefined),
    );
  const isThere = async () => {
    const input = { repositoryName: web().name, layerDigests: [digest] };
    return (await call('BatchCheckLayerAvailability', input, west())).layers[0].layerAvailability === 'AVAILABLE';
  };
  async function pushed(): Promise<void> {
    const registry = at.world.state<EcrState>('ecr', home()).repositories.get(web().name)!;
    registry.layers.set(digest, LAYER);
    await call('PutImage', {
      repositoryName: web().name,
      imageManifest: JSON.stringify({ layers: [{ digest, size: LAYER.length }] }),
    });
    await call('CreateRepository', { repositoryName: web().name }, west());
  }

  test('comes in parts, and goes on where it stopped', async () => {
    await pushed();
    const stopped = await copying(() => true);
    expect(stopped).toMatchObject({ at: 20 * 2 ** 20 });
    expect(await isThere()).toBe(false);
    expect(await copying(() => true, stopped)).toBeUndefined();
    expect(await isThere()).toBe(true);
  });

  test('begins anew when ECR has forgotten its upload', async () => {
    await pushed();
    const stopped = await copying(() => true);
    at.world.state<EcrState>('ecr', west()).repositories.get(web().name)!.uploads.clear();
    const anew = await copying(() => false, stopped);
    expect(anew).toMatchObject({ at: 0 });
    expect(await copying(() => false, anew)).toBeUndefined();
    expect(await isThere()).toBe(true);
  });

  test('bears that the SDK sends a part again whose answer was lost', async () => {
    await begin(true);
    await pushed();
    let lost = 0;
    at.world.faults = ({ operation }) => (operation === 'UploadLayerPart' && lost++ === 0 ? silenceAfter : undefined);
    expect(await copying(() => false)).toBeUndefined();
    expect(lost).toBe(3);
    expect(await isThere()).toBe(true);
  });
});

describe('restore', () => {
  const works = (artifacts: readonly Artifact[], restore = 'r1'): RestoreWork[] =>
    restoreWorks(subject, artifacts, at.vault, restore);
  async function copies(): Promise<Artifact[]> {
    const { artifacts, cut } = await capture();
    return at.settle(copied(subject, cut, artifacts));
  }

  test('renames the registry and the repository, and puts the names that workloads use where they are free', async () => {
    const there = await copies();
    await call('PutImage', { repositoryName: web().name, imageManifest: '{"taken":1}', imageTag: 'stable' }, west());
    const back = await at.settle(restored(subject, works(there), at.vault));
    const [ofWeb, ofWorker] = [web(), worker()].map(({ id }) => back.find(({ resource }) => resource === id)!);
    expect(ofWeb!.renames).toContainEqual({ was: host(), is: host(west()), what: 'registry' });
    expect(ofWeb!.renames).toContainEqual({
      was: web().id,
      is: web().id.replace('us-east-1', 'eu-west-1'),
      what: 'repository ARN',
    });
    expect(ofWeb!.notes.join(' ')).toMatch(/Tag stable of .*\/web is on sha256:.* here; what ran was sha256:/);
    expect(ofWorker!.notes).toHaveLength(1);
    const [index] = heldBy(there.find(({ resource }) => resource === worker().id)!);
    expect((await images(worker().name, west())).get(index!)).toContain('stable');
  });

  test('outlives the point: what was restored still runs when it has expired', async () => {
    const there = await copies();
    await at.settle(restored(subject, works(there), at.vault));
    await at.settle(expired(subject, west(), withArtifacts(there)));
    for (const artifact of there)
      for (const digest of heldBy(artifact))
        expect([...(await images(artifact.resource.replace(/^.*repository\//, ''), west())).keys()]).toContain(digest);
  });

  test('fails, and a preview lacks, what is not in the target’s registry', async () => {
    const there = await copies();
    await call('DeleteRepository', { repositoryName: web().name, force: true }, west());
    const sentence =
      /^The image .*\/web@sha256:.* is not in the registry of 111122223333\/eu-west-1; replicate or push it there, or choose another restore point\.$/;
    const preview = open(kind.preview, at.transport, at.clock, { here: west(), home: home() });
    const lacks = (await at.settle(preview(works(there)))).flatMap((one) => one.lacks);
    expect(lacks).toEqual([expect.stringMatching(sentence)]);
    const answers = await at.settle(driveItems(kind.restore, works(there), at, west(), at.transport));
    expect(failures(answers)).toEqual([expect.stringMatching(sentence)]);
  });

  /** Images and definitions of one instant, restored with home dark: Pods start from what was copied, and from nothing else. */
  test.each([true, false])('lets the namespace start where home is dark, if the images were copied: %s', async (withImages) => {
    const { artifacts, cut } = await capture();
    const scene = { here: home(), home: home() };
    const { resources } = await at.settle(open(namespaces.discover, at.transport, at.clock, scene)(subject.application));
    const definition: Subject = { ...subject, kind: namespaces, resources };
    const [namespaceArtifact] = (await at.settle(captured(definition))).artifacts;
    if (withImages) await at.settle(copied(subject, cut, artifacts));
    const [copy] = await at.settle(copied(definition, cut, [namespaceArtifact!]));
    at.darken(home().region, true);
    const restoring = restoreWorks(definition, [copy!], at.vault, 'r1');
    const preview = open(namespaces.preview, at.transport, at.clock, { here: west(), home: home() });
    const lacks = (await at.settle(preview(restoring))).flatMap((one) => one.lacks);
    if (!withImages) return void expect(lacks.join(' ')).toMatch(/The image .*\/web:stable that ran .* is not in /);
    expect(lacks).toEqual([]);
    await at.settle(driven(namespaces.restore, restoring, at, west()));
    const pods = verb(connecting, async (aws, _: undefined, here) =>
      (await connect(aws, LAWS, here)).get(`/api/v1/namespaces/${namespace()}-r1/pods`),
    );
    const { text } = await at.settle(open(pods, at.transport, at.clock, { here: west(), home: home() })(undefined));
    const running = (read(text)['items'] as any[]).map(({ status }) => [status.phase, status.containerStatuses[0].imageID]);
    expect(running).toEqual(
      subject.resources.map(({ name }) => ['Running', expect.stringMatching(new RegExp(`^${host(west())}/${name}@sha256:`))]),
    );
  });
});
